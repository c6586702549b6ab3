/* The two forms of the report of `mlc data FILE.mdl`. */
#ifndef MLC_CLI_SHOW_DATA_PRINT_H
#define MLC_CLI_SHOW_DATA_PRINT_H

#include "cli/show/data_report.h"

void report_print(const DataReport *report);      /* cli/show/data_print.c: text */
void report_print_json(const DataReport *report); /* cli/show/data_json.c */

#endif
