/// libsolv behind plain types; its headers appear in solv_pool.cpp alone.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "lib/pkgrepo/solver/package_table.hpp"

namespace sealift::pkgrepo::solver {

/// What is asked of libsolv; all numbers are rows of the table.
struct SolveJob {
  std::vector<std::size_t> install;    ///< candidates that must be there
  std::vector<std::size_t> favour;     ///< to be taken where there is a choice
  std::vector<std::size_t> removable;  ///< installed rows that may go if nothing else helps
  bool recommends = false;
};

struct SolveOutcome {
  std::vector<std::size_t> added;     ///< candidates to be installed or upgraded to
  std::vector<std::size_t> removed;   ///< installed rows that go without a newer version
  std::vector<std::string> problems;  ///< why it cannot be done; then nothing else is set
};

/// One libsolv pool with every package of a table.
class SolvPool {
 public:
  /// `table` must outlive it.
  static Result<SolvPool> create(const PackageTable& table);
  SolvPool(SolvPool&&) noexcept;
  SolvPool& operator=(SolvPool&&) = delete;
  ~SolvPool();

  SolveOutcome solve(const SolveJob& job);

 private:
  struct State;
  explicit SolvPool(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sealift::pkgrepo::solver
