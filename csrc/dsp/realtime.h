#pragma once

// Marks what may run on an audio thread: it neither allocates, locks, logs, throws nor waits. Clang checks that when it
// compiles (-Wfunction-effects) and when it runs (-fsanitize=realtime); other compilers take it as a comment.
#ifdef __has_cpp_attribute
#if __has_cpp_attribute(clang::nonblocking)
#define NEUTONE_NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef NEUTONE_NONBLOCKING
#define NEUTONE_NONBLOCKING
#endif

// Around calls from such a function that the compiler objects to, and that are known better: say why beside them.
#ifdef __clang__
#define NEUTONE_EXEMPT_BEGIN                                                                        \
  _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wunknown-warning-option\"") \
      _Pragma("clang diagnostic ignored \"-Wfunction-effects\"")
#define NEUTONE_EXEMPT_END _Pragma("clang diagnostic pop")
#else
#define NEUTONE_EXEMPT_BEGIN
#define NEUTONE_EXEMPT_END
#endif
