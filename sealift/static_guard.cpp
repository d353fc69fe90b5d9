// The static program runs on machines with another C library than the one it was built with. Where glibc
// would load that machine's own modules into us (name service, dynamic loading) the process would die;
// OpenSSL and libarchive contain calls to such functions that we never use. Defining them here, failing,
// keeps glibc's out of the program, and the linker's warning about any further one is an error
// (cmake/SealiftOptions.cmake).
#include <cstddef>

#include <dlfcn.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>

extern "C" {

int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { return EAI_FAIL; }
void freeaddrinfo(addrinfo*) {}
int getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int) { return EAI_FAIL; }
hostent* gethostbyname(const char*) { return nullptr; }
hostent* gethostbyaddr(const void*, socklen_t, int) { return nullptr; }
servent* getservbyname(const char*, const char*) { return nullptr; }

passwd* getpwnam(const char*) { return nullptr; }
passwd* getpwuid(uid_t) { return nullptr; }
group* getgrnam(const char*) { return nullptr; }
group* getgrgid(gid_t) { return nullptr; }
int getpwnam_r(const char*, passwd*, char*, size_t, passwd** result) { return *result = nullptr, 0; }
int getpwuid_r(uid_t, passwd*, char*, size_t, passwd** result) { return *result = nullptr, 0; }
int getgrnam_r(const char*, group*, char*, size_t, group** result) { return *result = nullptr, 0; }
int getgrgid_r(gid_t, group*, char*, size_t, group** result) { return *result = nullptr, 0; }

void* dlopen(const char*, int) noexcept { return nullptr; }
// glibc's start-up code refers to its own dlopen by this name, which would bring the function (and its
// warning) back in.
void* __dlopen(const char*, int) { return nullptr; }  // NOLINT(bugprone-reserved-identifier)
void* dlsym(void*, const char*) noexcept { return nullptr; }
int dlclose(void*) noexcept { return -1; }
int dladdr(const void*, Dl_info*) noexcept { return 0; }
char* dlerror() noexcept {
  static char text[] = "this program is static and loads no modules";
  return text;
}

}  // extern "C"
