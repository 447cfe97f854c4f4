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
