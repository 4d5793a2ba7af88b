#include "stream/watcher.h"
#include "base/check.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS 256

static void wake(struct watcher *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->wake, &one, sizeof one);
    (void)n; /* full means that it will wake anyway */
}

static void empty_graveyard(struct watcher *w)
{
    struct list dead;
    list_init(&dead);
    lock_take(&w->lock);
    list_splice(&dead, &w->graveyard);
    lock_drop(&w->lock);
    while (!list_empty(&dead)) {
        struct stream *s = CONTAINER(dead.next, struct stream, link);
        list_remove(&s->link);
        stream_free(s);
    }
}

static unsigned told_of(uint32_t events)
{
    unsigned told = 0;
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) told |= TOLD_GONE;
    if (events & EPOLLOUT) told |= TOLD_WRITABLE;
    if (events & EPOLLIN) told |= TOLD_READABLE;
    return told;
}

static void *watch(void *ctx)
{
    struct watcher *w = ctx;
    struct epoll_event events[EVENTS];
    while (!atomic_load(&w->stopping)) {
        int n = epoll_wait(w->epoll, events, EVENTS, -1);
        ASSERT(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
            uint64_t waste;
            if (events[i].data.ptr)
                w->tell(w->ctx, events[i].data.ptr, told_of(events[i].events));
            else if (read(w->wake, &waste, sizeof waste) < 0)
                continue;
        }
        empty_graveyard(w);
    }
    return NULL;
}

bool watcher_start(struct watcher *w, void (*tell)(void *ctx, struct stream *s, unsigned told), void *ctx)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    w->tell = tell;
    w->ctx = ctx;
    lock_init(&w->lock);
    list_init(&w->graveyard);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->epoll < 0 || w->wake < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->wake, &event)) return false;
    w->started = !pthread_create(&w->thread, NULL, watch, w);
    return w->started;
}

void watcher_stop(struct watcher *w)
{
    if (w->started) {
        atomic_store(&w->stopping, true);
        wake(w);
        pthread_join(w->thread, NULL);
    }
    empty_graveyard(w);
    if (w->epoll >= 0) close(w->epoll);
    if (w->wake >= 0) close(w->wake);
    lock_destroy(&w->lock);
}

bool watcher_add(struct watcher *w, struct stream *s)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = s};
    return !epoll_ctl(w->epoll, EPOLL_CTL_ADD, s->peer.socket, &event);
}

void watcher_remove(struct watcher *w, struct stream *s)
{
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, s->peer.socket, NULL);
}

void watcher_bury(struct watcher *w, struct list *streams)
{
    lock_take(&w->lock);
    list_splice(&w->graveyard, streams);
    lock_drop(&w->lock);
    wake(w);
}
