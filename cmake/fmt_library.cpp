// libfmt.a, which Debian does not ship, from the definitions that libfmt-dev does: they are compiled once
// instead of in every file of the static program, which halves its build.
#include <fmt/format-inl.h>

// Templates that format.h promises to find elsewhere.
template auto fmt::detail::thousands_sep_impl<char>(fmt::detail::locale_ref)
    -> fmt::detail::thousands_sep_result<char>;
template auto fmt::detail::decimal_point_impl<char>(fmt::detail::locale_ref) -> char;
