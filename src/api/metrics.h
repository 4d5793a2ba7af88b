/* GET /api/parley/metrics: the server's counts in Prometheus' text format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats). Anyone may read them: they name no user and no document. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/call.h"

operation metrics_get;

#endif
