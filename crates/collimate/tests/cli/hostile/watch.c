/* Runs a program and writes down what it took: `watch REPORT sealed|open PROGRAM ARGUMENT…`.
 *
 * REPORT gets one line: exit code (or 128 + signal), kilobytes at the peak, milliseconds of processor time.
 *
 * `sealed`: the kernel ends the program where it starts another one, makes a socket, writes to a file system or traces
 * a process. The one execve that starts it is told from later ones by the address of its path: that page is ours, and gone
 * after it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where nothing of a program lies by itself. */
#define OUR_PAGE 0x4c4f4341000UL

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "which architecture is this?"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOW(n) (offsetof(struct seccomp_data, args[n]))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define KILL RETURN(SECCOMP_RET_KILL_PROCESS)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
/* If the number is this one, the next instruction, else the one after it. */
#define IF(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1)
#define DENY(number) IF(number), KILL

static int seal(void) {
    struct sock_filter filter[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        KILL,
        LOAD(nr),
        /* Its own start, by the address of the path. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 6),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(0)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(OUR_PAGE & 0xffffffff), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(0) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(OUR_PAGE >> 32), 0, 1),
        ALLOW,
        KILL,
        /* Threads, and no processes. */
        IF(SYS_clone3), RETURN(SECCOMP_RET_ERRNO | ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(0)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
        ALLOW,
        KILL,
        /* Files to read only. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(2)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1),
        KILL,
        ALLOW,
#if defined(__x86_64__)
        /* As the allocator has it. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(1)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1),
        KILL,
        ALLOW,
#endif
        DENY(SYS_execveat), DENY(SYS_socket), DENY(SYS_socketpair), DENY(SYS_connect), DENY(SYS_bind), DENY(SYS_sendto),
        DENY(SYS_ptrace), DENY(SYS_kill), DENY(SYS_openat2), DENY(SYS_renameat), DENY(SYS_renameat2), DENY(SYS_unlinkat),
        DENY(SYS_mkdirat), DENY(SYS_mknodat), DENY(SYS_linkat), DENY(SYS_symlinkat), DENY(SYS_fchmodat), DENY(SYS_fchmod),
        DENY(SYS_fchownat), DENY(SYS_fchown), DENY(SYS_truncate), DENY(SYS_ftruncate), DENY(SYS_utimensat), DENY(SYS_mount),
#if defined(__x86_64__)
        DENY(SYS_fork), DENY(SYS_vfork), DENY(SYS_creat), DENY(SYS_rename), DENY(SYS_unlink), DENY(SYS_mkdir),
        DENY(SYS_rmdir), DENY(SYS_link), DENY(SYS_symlink), DENY(SYS_chmod), DENY(SYS_chown), DENY(SYS_mknod),
#endif
        ALLOW,
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int count, char **words) {
    if (count < 4) return 125;
    char *path = mmap((void *)OUR_PAGE, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (path == MAP_FAILED || strlen(words[3]) > 4000) return 125;
    strcpy(path, words[3]);
    pid_t child = fork();
    if (child < 0) return 125;
    if (child == 0) {
        if (strcmp(words[2], "sealed") == 0 && seal()) _exit(125);
        syscall(SYS_execve, path, words + 3, environ);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0) return 125;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    long spent = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
    FILE *report = fopen(words[1], "w");
    if (!report) return 125;
    fprintf(report, "%d %ld %ld\n", code, usage.ru_maxrss, spent);
    return fclose(report) ? 125 : code;
}
