#include "bench/usage.h"
#include "bench/tool.h"
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ESTABLISHED 1 /* the kernel's TCP_ESTABLISHED */

static void add_cpu(struct usage *u, long pid)
{
    char path[64], line[1024] = "";
    unsigned long user, kernel;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file)) u->gone = true;
    if (file) fclose(file);
    if (u->gone) return;
    /* The name, in brackets, may hold anything. */
    char *rest = strrchr(line, ')');
    if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
        die("%s cannot be understood.", path);
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);
    u->user += (double)user * tick;
    u->kernel += (double)kernel * tick;
}

static void add_memory(struct usage *u, long pid)
{
    char path[64], line[256];
    unsigned long kilobytes;
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    if (!file) {
        u->gone = true;
        return;
    }
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Pss_Anon: %lu", &kilobytes) == 1 || sscanf(line, "Pss_Shmem: %lu", &kilobytes) == 1)
            u->memory += (double)kilobytes * 1024;
    fclose(file);
}

static double slab(void)
{
    static const char *const caches[] = {"TCP", "sock_inode_cache", "filp", "eventpoll_epi"};
    char line[512], name[64];
    unsigned long active, all, size;
    double bytes = 0;
    FILE *file = fopen("/proc/slabinfo", "r");
    if (!file) return -1;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%63s %lu %lu %lu", name, &active, &all, &size) != 4) continue;
        for (size_t i = 0; i < sizeof caches / sizeof *caches; i++)
            if (!strcmp(name, caches[i])) bytes += (double)active * (double)size;
    }
    fclose(file);
    return bytes;
}

struct usage usage_read(const char *pids)
{
    struct usage u = {0};
    if (!pids) return u;
    u.slab = slab();
    for (const char *at = pids; *at && !u.gone; at += *at == ',') {
        char *end;
        long pid = strtol(at, &end, 10);
        if (end == at) break;
        add_cpu(&u, pid);
        add_memory(&u, pid);
        at = end;
    }
    return u;
}

static double buffers_of(const struct inet_diag_msg *socket, size_t len)
{
    const struct rtattr *attribute = (const void *)(socket + 1);
    len -= sizeof *socket;
    for (; RTA_OK(attribute, len); attribute = RTA_NEXT(attribute, len)) {
        if (attribute->rta_type != INET_DIAG_SKMEMINFO) continue;
        const uint32_t *memory = RTA_DATA(attribute);
        return (double)memory[SK_MEMINFO_RMEM_ALLOC] + memory[SK_MEMINFO_WMEM_QUEUED] + memory[SK_MEMINFO_FWD_ALLOC] +
               memory[SK_MEMINFO_OPTMEM];
    }
    return 0;
}

static int ask_for_sockets(void)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 wanted;
    } request = {
        .head = {.nlmsg_len = sizeof request,
            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .wanted = {.sdiag_family = AF_INET,
            .sdiag_protocol = IPPROTO_TCP,
            .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
            .idiag_states = 1u << ESTABLISHED},
    };
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0 || send(netlink, &request, sizeof request, 0) < 0)
        die("The kernel does not tell about sockets: %s.", strerror(errno));
    return netlink;
}

double usage_buffers(int port, unsigned host, size_t *count)
{
    static char answer[1 << 16] __attribute__((aligned(8)));
    in_addr_t peer = loopback(host, 0).sin_addr.s_addr;
    double bytes = 0;
    int netlink = ask_for_sockets();
    *count = 0;
    for (;;) {
        ssize_t n = recv(netlink, answer, sizeof answer, 0);
        if (n <= 0) die("The kernel does not tell about sockets: %s.", strerror(errno));
        size_t left = (size_t)n;
        for (const struct nlmsghdr *head = (const void *)answer; NLMSG_OK(head, left); head = NLMSG_NEXT(head, left)) {
            if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR) {
                close(netlink);
                return bytes;
            }
            const struct inet_diag_msg *socket = NLMSG_DATA(head);
            if (ntohs(socket->id.idiag_sport) != port || (host && socket->id.idiag_dst[0] != peer)) continue;
            bytes += buffers_of(socket, head->nlmsg_len - NLMSG_LENGTH(0));
            ++*count;
        }
    }
}
