#include "api/mail.h"
#include "base/check.h"
#include "base/list.h"
#include "base/lock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WAITING 100

extern char **environ;

struct mail {
    struct list link;
    struct str message;
};

struct mailer {
    /* fixed */
    const char *command;
    pthread_t thread;
    bool started;
    /* under lock */
    struct lock lock;
    struct condition queued;
    struct list queue;
    int waiting;
    bool closing;
};

static void mail_free(struct mail *mail)
{
    str_release(&mail->message);
    free(mail);
}

/* Starts the command with the pipe's end as its standard input. The server's threads block the signals that stop it;
 * the command must not inherit that. */
static int start(const char *command, int input, pid_t *pid)
{
    const char *arguments[] = {"sh", "-c", command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (posix_spawn_file_actions_init(&actions)) return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(pid, "/bin/sh", &actions, &attributes, (char *const *)(uintptr_t)arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void feed(int output, struct view text)
{
    while (text.len) {
        ssize_t n = write(output, text.at, text.len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return; /* the command did not want it all; its exit status says whether that was right */
        text.at += n;
        text.len -= (size_t)n;
    }
}

static void deliver(const char *command, const struct mail *mail)
{
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC)) {
        log_warning("a mail could not be sent: %s", strerror(errno));
        return;
    }
    int error = start(command, ends[0], &pid);
    close(ends[0]);
    if (!error) feed(ends[1], str_view(&mail->message));
    close(ends[1]);
    if (error) {
        log_warning("the mail command could not be started: %s", strerror(error));
        return;
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFSIGNALED(status))
        log_warning("the mail command was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status))
        log_warning("the mail command ended with status %d", WEXITSTATUS(status));
}

static void *run(void *ctx)
{
    struct mailer *m = ctx;
    for (;;) {
        lock_take(&m->lock);
        while (list_empty(&m->queue) && !m->closing) condition_wait(&m->queued, &m->lock);
        bool closing = m->closing;
        struct mail *mail = closing ? NULL : CONTAINER(m->queue.next, struct mail, link);
        if (mail) {
            list_remove(&mail->link);
            m->waiting--;
        }
        lock_drop(&m->lock);
        if (closing) return NULL;
        deliver(m->command, mail);
        mail_free(mail);
    }
}

struct mailer *mailer_new(const char *command)
{
    struct mailer *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->command = command;
    lock_init(&m->lock);
    condition_init(&m->queued);
    list_init(&m->queue);
    if (command) m->started = !pthread_create(&m->thread, NULL, run, m);
    if (!command || m->started) return m;
    mailer_free(m);
    return NULL;
}

void mailer_free(struct mailer *m)
{
    if (!m) return;
    if (m->started) {
        lock_take(&m->lock);
        m->closing = true;
        condition_signal(&m->queued);
        lock_drop(&m->lock);
        pthread_join(m->thread, NULL);
    }
    while (!list_empty(&m->queue)) {
        struct mail *mail = CONTAINER(m->queue.next, struct mail, link);
        list_remove(&mail->link);
        mail_free(mail);
    }
    condition_destroy(&m->queued);
    lock_destroy(&m->lock);
    free(m);
}

bool mail_works(const struct mailer *m)
{
    return m->command;
}

bool mail_send(struct mailer *m, struct view to, const char *subject, struct view text)
{
    if (!m->command) return true;
    struct mail *mail = calloc(1, sizeof *mail);
    if (!mail) return false;
    str_addz(&mail->message, "To: ");
    str_add(&mail->message, to);
    str_addf(&mail->message,
        "\nSubject: %s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nAuto-Submitted: auto-generated\n\n",
        subject);
    str_add(&mail->message, text);
    lock_take(&m->lock);
    bool taken = !mail->message.failed && m->waiting < MOST_WAITING;
    if (taken) {
        list_insert(&m->queue, &mail->link);
        m->waiting++;
        condition_signal(&m->queued);
    }
    lock_drop(&m->lock);
    if (!taken) mail_free(mail);
    return taken;
}
