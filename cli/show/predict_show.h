/* The ways to show what mlc predict found. */
#ifndef MLC_CLI_SHOW_PREDICT_SHOW_H
#define MLC_CLI_SHOW_PREDICT_SHOW_H

#include "cli/results/predicted.h"

void predicted_print(const Predicting *predicting);      /* predict_print.c */
void predicted_print_json(const Predicting *predicting); /* predict_json.c */
void predicted_print_csv(const Predicting *predicting);  /* predict_csv.c */
/* Before anything is computed: finds out what --png draws. false after reporting that there is
 * nothing. */
bool predicted_plan_drawing(Predicting *predicting);
/* A picture of the rows, for --png. false after reporting errors. */
bool predicted_draw(const Predicting *predicting); /* predict_draw.c */

#endif
