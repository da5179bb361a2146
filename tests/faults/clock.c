/*
 * A process whose wall clock jumps while its steady clock does not: preloaded, it adds the seconds in the file
 * CLOCK_OFFSET (a binary long, mapped) to the time of day.
 *
 * libfaketime does the same and more, but with the steady clock left alone its 0.9.10 makes Python's sleep fail
 * (EINVAL from clock_nanosleep). A wait until a time of day is told the true one, as the kernel would have it; a
 * wait by the steady clock is left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>

#define STEADY_BIT 2 /* glibc >= 2.25: set in __wrefs by pthread_condattr_setclock(CLOCK_MONOTONIC) */

static volatile long *offset_s;

__attribute__((constructor)) static void map_offset(void)
{
    static long none = 0;
    const char *path = getenv("CLOCK_OFFSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *found = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    offset_s = found == MAP_FAILED ? &none : found;
}

static long now_offset(void) { return offset_s ? *offset_s : 0; }

int clock_gettime(clockid_t clock, struct timespec *at)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += now_offset();
    return failed;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec found;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &found);
    at->tv_sec = found.tv_sec;
    at->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at)
{
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (at)
        *at = found.tv_sec;
    return found.tv_sec;
}

int timespec_get(struct timespec *at, int base)
{
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, at) ? base : 0;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec true_until = *until;
    if (!real) { /* x86-64 has an older one, for LinuxThreads, beside it */
        void *found = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
        real = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))(
            found ? found : dlsym(RTLD_NEXT, "pthread_cond_timedwait"));
    }
    if (!(cond->__data.__wrefs & STEADY_BIT))
        true_until.tv_sec -= now_offset();
    return real(cond, mutex, &true_until);
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    struct timespec true_until = *until;
    if (!real)
        real = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT, "cnd_timedwait");
    true_until.tv_sec -= now_offset(); /* C11: always by the time of day; librdkafka waits with it */
    return real(cond, mutex, &true_until);
}
