/* `parley bench`: a load generator for a server of this kind, here or elsewhere. It knows the server by its URL alone.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

/* Runs the command, whose name is argv[0], and returns the program's exit status. */
int bench_main(int argc, char **argv);

#endif
