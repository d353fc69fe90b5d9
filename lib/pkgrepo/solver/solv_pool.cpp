#include "lib/pkgrepo/solver/solv_pool.hpp"

#include <algorithm>
#include <set>

// The member "requires" of libsolv's Solvable is a keyword in C++20; this gives it another name.
#define LIBSOLV_SOLVABLE_PREPEND_DEP
#include <solv/pool.h>
#include <solv/poolarch.h>
#include <solv/problems.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/solver.h>

namespace sealift::pkgrepo::solver {
namespace {

constexpr std::size_t kMaxProblems = 20;

struct PoolDeleter {
  void operator()(Pool* pool) const { pool_free(pool); }
};
struct SolverDeleter {
  void operator()(Solver* solver) const { solver_free(solver); }
};

class IdQueue {
 public:
  IdQueue() { queue_init(&queue_); }
  IdQueue(const IdQueue&) = delete;
  IdQueue& operator=(const IdQueue&) = delete;
  ~IdQueue() { queue_free(&queue_); }
  Queue* get() { return &queue_; }
  void push(Id how, Id what) { queue_push2(&queue_, how, what); }
  int size() const { return queue_.count; }
  Id operator[](int index) const { return queue_.elements[index]; }

 private:
  Queue queue_{};
};

int flags_of(apt::Comparison comparison) {
  switch (comparison) {
    case apt::Comparison::less:
      return REL_LT;
    case apt::Comparison::less_or_equal:
      return REL_LT | REL_EQ;
    case apt::Comparison::equal:
      return REL_EQ;
    case apt::Comparison::greater_or_equal:
      return REL_GT | REL_EQ;
    case apt::Comparison::greater:
      return REL_GT;
    case apt::Comparison::any:
      break;
  }
  return 0;
}

Id intern(Pool* pool, std::string_view text) {
  return pool_strn2id(pool, text.data(), static_cast<unsigned>(text.size()), 1);
}

}  // namespace

struct SolvPool::State {
  explicit State(const PackageTable& packages) : table(packages), pool(pool_create()) {}

  /// A name with its qualifier is a name of its own ("python3:any"), which the packages that serve it
  /// provide.
  Id relation_id(const apt::Relation& relation) const {
    Id name = intern(pool.get(), relation.name);
    if (!relation.qualifier.empty() && relation.qualifier != table.architecture()) {
      name = intern(pool.get(), fmt::format("{}:{}", relation.name, relation.qualifier));
    }
    if (relation.comparison == apt::Comparison::any) return name;
    return pool_rel2id(pool.get(), name, intern(pool.get(), relation.version), flags_of(relation.comparison),
                       1);
  }

  Id clause_id(const apt::Clause& clause) const {
    Id id = relation_id(clause.back());
    for (auto relation = clause.rbegin() + 1; relation != clause.rend(); ++relation) {
      id = pool_rel2id(pool.get(), relation_id(*relation), id, REL_OR, 1);
    }
    return id;
  }

  void add_provides(Repo* repo, Solvable* solvable, const Row& row) const {
    apt::Relation self{row.package->name, {}, apt::Comparison::equal, row.package->version};
    std::vector<apt::Relation> provided = row.provides;
    provided.push_back(self);
    const bool serves_any = row.package->multi_arch == apt::MultiArch::allowed ||
                            row.package->multi_arch == apt::MultiArch::foreign;
    for (apt::Relation relation : provided) {
      solvable->dep_provides = repo_addid_dep(repo, solvable->dep_provides, relation_id(relation), 0);
      if (!serves_any || !relation.qualifier.empty()) continue;
      relation.qualifier = "any";
      solvable->dep_provides = repo_addid_dep(repo, solvable->dep_provides, relation_id(relation), 0);
    }
  }

  void add_row(std::size_t index) {
    const Row& row = table.rows()[index];
    Repo* repo = row.installed ? installed : available;
    const Id id = repo_add_solvable(repo);
    Solvable* solvable = pool_id2solvable(pool.get(), id);
    solvable->name = intern(pool.get(), row.package->name);
    solvable->evr = intern(pool.get(), row.package->version);
    solvable->arch = intern(pool.get(), row.package->architecture);
    for (const apt::Clause& clause : row.needs) {
      solvable->dep_requires = repo_addid_dep(repo, solvable->dep_requires, clause_id(clause), 0);
    }
    for (const apt::Clause& clause : row.recommends) {
      solvable->dep_recommends = repo_addid_dep(repo, solvable->dep_recommends, clause_id(clause), 0);
    }
    for (const apt::Clause& clause : row.conflicts) {
      for (apt::Relation relation : clause) {
        if (relation.qualifier == "any") relation.qualifier = {};
        solvable->dep_conflicts = repo_addid_dep(repo, solvable->dep_conflicts, relation_id(relation), 0);
      }
    }
    add_provides(repo, solvable, row);
    if (row_of.size() <= static_cast<std::size_t>(id)) row_of.resize(static_cast<std::size_t>(id) + 1);
    row_of[static_cast<std::size_t>(id)] = index;
    id_of[index] = id;
  }

  /// The candidate that is already installed would only be a second name for the same thing.
  bool is_installed_already(std::size_t index) const {
    const Row& row = table.rows()[index];
    if (row.installed) return false;
    const auto same = table.installed(row.package->name);
    return same && table.rows()[*same].package->version == row.package->version;
  }

  const PackageTable& table;
  std::unique_ptr<Pool, PoolDeleter> pool;
  Repo* installed = nullptr;
  Repo* available = nullptr;
  std::vector<std::size_t> row_of;  // by solvable
  std::vector<Id> id_of;            // by row; 0: not in the pool
};

SolvPool::SolvPool(std::unique_ptr<State> state) : state_(std::move(state)) {}
SolvPool::SolvPool(SolvPool&&) noexcept = default;
SolvPool::~SolvPool() = default;

Result<SolvPool> SolvPool::create(const PackageTable& table) {
  auto state = std::make_unique<State>(table);
  Pool* pool = state->pool.get();
  if (pool_setdisttype(pool, DISTTYPE_DEB) < 0) {
    return fail(ErrorCode::unsupported, "this libsolv is built without support for Debian packages");
  }
  pool_setarch(pool, table.architecture().c_str());
  state->installed = repo_create(pool, "baseline");
  state->available = repo_create(pool, "repositories");
  pool_set_installed(pool, state->installed);
  state->id_of.resize(table.rows().size());
  for (std::size_t i = 0; i < table.rows().size(); ++i) {
    if (!state->is_installed_already(i)) state->add_row(i);
  }
  pool_createwhatprovides(pool);
  return SolvPool(std::move(state));
}

namespace {

/// Every rule that takes part in each problem, as libsolv words it.
std::vector<std::string> describe_problems(Solver* solver) {
  std::set<std::string> seen;
  std::vector<std::string> problems;
  const int count = static_cast<int>(solver_problem_count(solver));
  for (Id problem = 1; problem <= count; ++problem) {
    IdQueue rules;
    solver_findallproblemrules(solver, problem, rules.get());
    for (int i = 0; i < rules.size() && problems.size() < kMaxProblems; ++i) {
      Id source = 0;
      Id target = 0;
      Id dependency = 0;
      const auto type = solver_ruleinfo(solver, rules[i], &source, &target, &dependency);
      if (type == SOLVER_RULE_JOB || type == SOLVER_RULE_UNKNOWN) continue;
      std::string text = solver_problemruleinfo2str(solver, type, source, target, dependency);
      if (seen.insert(text).second) problems.push_back(std::move(text));
    }
    if (rules.size() == 0) problems.emplace_back(solver_problem2str(solver, problem));
  }
  if (problems.empty()) problems.emplace_back("the solver gave no reason");
  return problems;
}

}  // namespace

SolveOutcome SolvPool::solve(const SolveJob& job) {
  IdQueue jobs;
  const auto add = [&](const std::vector<std::size_t>& rows, Id how) {
    for (const std::size_t row : rows) {
      if (const Id id = state_->id_of[row]; id != 0) jobs.push(how | SOLVER_SOLVABLE, id);
    }
  };
  add(job.install, SOLVER_INSTALL);
  add(job.favour, SOLVER_FAVOR);
  add(job.removable, SOLVER_ALLOWUNINSTALL);
  // apt takes a real package before one that merely provides its name (libsystemd0 before libelogind0).
  const std::set<std::size_t> favoured(job.favour.begin(), job.favour.end());
  std::vector<std::size_t> mere_providers;
  for (std::size_t i = 0; i < state_->table.rows().size(); ++i) {
    const Row& row = state_->table.rows()[i];
    if (row.installed || favoured.contains(i)) continue;
    const bool shadows =
        std::any_of(row.provides.begin(), row.provides.end(), [&](const apt::Relation& provided) {
          return provided.name != row.package->name && state_->table.candidate(provided.name).has_value();
        });
    if (shadows) mere_providers.push_back(i);
  }
  add(mere_providers, SOLVER_DISFAVOR);

  const std::unique_ptr<Solver, SolverDeleter> solver(solver_create(state_->pool.get()));
  solver_set_flag(solver.get(), SOLVER_FLAG_IGNORE_RECOMMENDED, job.recommends ? 0 : 1);
  SolveOutcome outcome;
  if (solver_solve(solver.get(), jobs.get()) != 0) {
    outcome.problems = describe_problems(solver.get());
    return outcome;
  }
  for (std::size_t i = 0; i < state_->id_of.size(); ++i) {
    const Id id = state_->id_of[i];
    if (id == 0) continue;
    const bool present = solver_get_decisionlevel(solver.get(), id) > 0;
    const Row& row = state_->table.rows()[i];
    if (present && !row.installed) outcome.added.push_back(i);
    if (!present && row.installed) outcome.removed.push_back(i);
  }
  // An upgrade takes the place of the installed version; that one is not removed.
  std::set<std::string_view> names;
  for (const std::size_t row : outcome.added) names.insert(state_->table.rows()[row].package->name);
  std::erase_if(outcome.removed,
                [&](std::size_t row) { return names.contains(state_->table.rows()[row].package->name); });
  return outcome;
}

}  // namespace sealift::pkgrepo::solver
