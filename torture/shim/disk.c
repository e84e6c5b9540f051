/* A disk that fails on purpose, preloaded into the server under test: it stands between the program and the C library for
 * files under $HEMU_DISK_ROOT, and does what the control file $HEMU_DISK_CONTROL says at the moment of each call.
 *
 * Power cuts: before a write the old bytes go to an undo log beside the control file, one for each file, emptied by that
 * file's fsync. After a kill the harness puts the old bytes back, newest first; what was never synced is then gone. Names of
 * files (create, rename, unlink) are taken as durable, and so are files mapped into memory: SQLite's -shm is left out, and
 * deleted by the harness, for it is not durable by design.
 *
 * Must not: change what a program sees while the power is on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The control file, mapped; `src/disk.rs` writes the orders and reads the counters. */
struct control {
    volatile uint32_t full;     /* 1: writes fail with ENOSPC */
    volatile uint32_t stall_ms; /* fsync takes this much longer */
    volatile uint32_t lie;      /* 1: fsync does nothing and says that it did */
    volatile uint32_t spare;
    volatile uint64_t writes, syncs, refused, stalled;
};

#define FILES 32
struct file {
    char name[NAME_MAX + 1];
    int undo; /* begins with `start`, the offset of the first record that no fsync has made void */
    uint64_t start, end, emptied;
    pthread_mutex_t lock;
};

static struct control *control;
static char root[PATH_MAX], beside[PATH_MAX];
static struct file files[FILES];
static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, int, off_t, off_t), (*real_posix_fallocate)(int, off_t, off_t);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_pwritev = dlsym(RTLD_NEXT, "pwritev");
    real_writev = dlsym(RTLD_NEXT, "writev");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_fallocate = dlsym(RTLD_NEXT, "fallocate");
    real_posix_fallocate = dlsym(RTLD_NEXT, "posix_fallocate");
    const char *path = getenv("HEMU_DISK_CONTROL"), *under = getenv("HEMU_DISK_ROOT");
    if (!path || !under || !realpath(under, root)) return;
    snprintf(beside, sizeof beside, "%s", path);
    char *slash = strrchr(beside, '/');
    if (slash) *slash = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED) control = mapped;
}

/* The file's own name if it is one of ours, else NULL. Asked of the kernel, so that no duplicated descriptor is missed. */
static const char *ours(int fd, char *path, size_t size) {
    if (!control) return NULL;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int saved = errno;
    ssize_t length = readlink(link, path, size - 1);
    errno = saved;
    if (length <= 0) return NULL;
    path[length] = 0;
    size_t prefix = strlen(root);
    if (strncmp(path, root, prefix) || path[prefix] != '/') return NULL;
    const char *name = strrchr(path, '/') + 1;
    size_t letters = strlen(name);
    if (letters > 4 && !strcmp(name + letters - 4, "-shm")) return NULL;
    return strchr(name, ' ') ? NULL : name; /* "x (deleted)" is nobody's any more */
}

static struct file *file_of(const char *name) {
    pthread_mutex_lock(&table);
    struct file *found = NULL;
    for (int i = 0; i < FILES && !found; i++) {
        if (!files[i].name[0]) {
            char path[PATH_MAX + NAME_MAX + 8];
            snprintf(path, sizeof path, "%s/%s.undo", beside, name);
            int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
            if (fd < 0) break;
            struct stat about;
            uint64_t start = sizeof start;
            files[i].end = fstat(fd, &about) || about.st_size < (off_t)sizeof start ? sizeof start : (uint64_t)about.st_size;
            if (files[i].end == sizeof start) real_pwrite(fd, &start, sizeof start, 0);
            else if (pread(fd, &start, sizeof start, 0) != sizeof start) abort();
            files[i].start = start;
            files[i].undo = fd;
            pthread_mutex_init(&files[i].lock, NULL);
            snprintf(files[i].name, sizeof files[i].name, "%s", name);
        }
        if (!strcmp(files[i].name, name)) found = &files[i];
    }
    pthread_mutex_unlock(&table);
    if (!found) abort(); /* a write nobody could take back would make the test worthless */
    return found;
}

/* Saves what lies at offset..offset+length, and the file's size: {size, offset, kept} and `kept` bytes. */
static void save(struct file *file, const char *path, off_t offset, size_t length) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &about)) abort();
    uint64_t head[3] = {(uint64_t)about.st_size, (uint64_t)offset, 0};
    if (offset < about.st_size) {
        off_t there = about.st_size - offset;
        head[2] = (uint64_t)there < length ? (uint64_t)there : length;
    }
    char *old = malloc(sizeof head + head[2]);
    if (!old || (head[2] && pread(fd, old + sizeof head, head[2], offset) != (ssize_t)head[2])) abort();
    memcpy(old, head, sizeof head);
    close(fd);
    size_t whole = sizeof head + head[2];
    if (real_pwrite(file->undo, old, whole, (off_t)file->end) != (ssize_t)whole) abort();
    file->end += whole;
    free(old);
}

static int full(void) {
    if (!control->full) return 0;
    __sync_fetch_and_add(&control->refused, 1);
    errno = ENOSPC;
    return 1;
}

#define GUARDED(result, offset, length, call)            \
    char path[PATH_MAX];                                 \
    const char *name = ours(fd, path, sizeof path);      \
    if (!name) return call;                              \
    if (full()) return -1;                               \
    struct file *file = file_of(name);                   \
    pthread_mutex_lock(&file->lock);                     \
    save(file, path, offset, length);                    \
    result = call;                                       \
    int said = errno;                                    \
    pthread_mutex_unlock(&file->lock);                   \
    __sync_fetch_and_add(&control->writes, 1);           \
    errno = said;                                        \
    return result

/* Where a plain write goes: where the descriptor stands, or at the end. */
static off_t place(int fd) {
    int flags = fcntl(fd, F_GETFL);
    struct stat about;
    if (flags >= 0 && (flags & O_APPEND) && !fstat(fd, &about)) return about.st_size;
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at < 0 ? 0 : at;
}

static size_t total(const struct iovec *parts, int count) {
    size_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    ssize_t result;
    GUARDED(result, place(fd), length, real_write(fd, bytes, length));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    ssize_t result;
    GUARDED(result, place(fd), total(parts, count), real_writev(fd, parts, count));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    ssize_t result;
    GUARDED(result, offset, length, real_pwrite(fd, bytes, length, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return pwrite(fd, bytes, length, offset); }

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    ssize_t result;
    GUARDED(result, offset, total(parts, count), real_pwritev(fd, parts, count, offset));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev(fd, parts, count, offset); }

/* Shortening takes bytes away: all from the new end on are saved. */
int ftruncate(int fd, off_t length) {
    int result;
    GUARDED(result, length, SIZE_MAX, real_ftruncate(fd, length));
}

int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

/* Only the size may change; holes are never punched by the programs under test. */
int fallocate(int fd, int mode, off_t offset, off_t length) {
    int result;
    GUARDED(result, offset, 0, real_fallocate(fd, mode, offset, length));
}

int fallocate64(int fd, int mode, off_t offset, off_t length) { return fallocate(fd, mode, offset, length); }

int posix_fallocate(int fd, off_t offset, off_t length) {
    int result;
    if (control && control->full) return ENOSPC;
    GUARDED(result, offset, 0, real_posix_fallocate(fd, offset, length));
}

int posix_fallocate64(int fd, off_t offset, off_t length) { return posix_fallocate(fd, offset, length); }

/* Makes void what was saved before `upto`. */
static void forget(struct file *file, uint64_t upto) {
    if (upto < file->start) return;
    if (upto == file->end) {
        file->end = upto = sizeof upto;
        file->emptied++;
        if (real_ftruncate(file->undo, (off_t)upto)) abort();
    }
    file->start = upto;
    if (real_pwrite(file->undo, &upto, sizeof upto, 0) != (ssize_t)sizeof upto) abort();
}

/* Makes void what was saved before the sync began; a write that came meanwhile may still be lost. */
static int synced(int fd, int (*real)(int)) {
    char path[PATH_MAX];
    const char *name = ours(fd, path, sizeof path);
    if (!name) return real(fd);
    uint32_t stall = control->stall_ms;
    if (stall) {
        struct timespec pause = {stall / 1000, (long)(stall % 1000) * 1000000};
        __sync_fetch_and_add(&control->stalled, 1);
        nanosleep(&pause, NULL);
    }
    __sync_fetch_and_add(&control->syncs, 1);
    if (control->lie) return 0;
    struct file *file = file_of(name);
    pthread_mutex_lock(&file->lock);
    uint64_t upto = file->end, emptied = file->emptied;
    pthread_mutex_unlock(&file->lock);
    int result = real(fd);
    if (result) return result;
    pthread_mutex_lock(&file->lock);
    if (emptied == file->emptied) forget(file, upto);
    pthread_mutex_unlock(&file->lock);
    return 0;
}

int fsync(int fd) { return synced(fd, real_fsync); }

int fdatasync(int fd) { return synced(fd, real_fdatasync); }

/* A file that is gone needs nothing taken back. */
static void gone(const char *path) {
    char whole[PATH_MAX];
    size_t prefix = strlen(root);
    if (!control || !realpath(path, whole) || strncmp(whole, root, prefix) || whole[prefix] != '/') return;
    struct file *file = file_of(strrchr(whole, '/') + 1);
    pthread_mutex_lock(&file->lock);
    forget(file, file->end);
    pthread_mutex_unlock(&file->lock);
}

int unlink(const char *path) {
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    int saved = errno;
    gone(path);
    errno = saved;
    return real(path);
}
