/// The byte stream below one HTTP request: a TCP connection to a numeric address, plain or TLS.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "installer/host/http.hpp"
#include "lib/base/files.hpp"

struct ssl_st;
struct ssl_ctx_st;
struct bio_st;
struct x509_st;

namespace sealift::installer {

struct SslDeleter {
  void operator()(ssl_ctx_st* context) const;
  void operator()(ssl_st* ssl) const;
  void operator()(bio_st* bio) const;
  void operator()(x509_st* certificate) const;
};

/// `request` must outlive it; its time limits and its stop flag hold for every call.
class HttpStream {
 public:
  static Result<HttpStream> open(const HttpGet& request, const NumericUrl& url);
  /// Everything.
  Status write(std::string_view data);
  /// 0 at the end.
  Result<std::size_t> read(char* buffer, std::size_t size);

 private:
  explicit HttpStream(const HttpGet& request) : request_(&request) {}
  Status wait_again(int result, short plain_events, std::string_view doing);
  Status trust(ssl_ctx_st* context);
  Status start_tls(const NumericUrl& url);

  const HttpGet* request_;
  FileDescriptor socket_;
  std::unique_ptr<ssl_ctx_st, SslDeleter> context_;
  std::unique_ptr<ssl_st, SslDeleter> ssl_;
};

}  // namespace sealift::installer
