/* The output formats of mlc predict. */
#ifndef MLC_CLI_SHOW_PREDICT_SHOW_H
#define MLC_CLI_SHOW_PREDICT_SHOW_H

#include "cli/results/predicted.h"

void predicted_print(const Predicting *predicting);      /* predict_print.c */
void predicted_print_json(const Predicting *predicting); /* predict_json.c */
void predicted_print_csv(const Predicting *predicting);  /* predict_csv.c */
/* Writes a NumPy archive. false after reporting errors. */
bool predicted_write_npz(const Predicting *predicting, const char *path); /* predict_npz.c */
/* Decides what --png draws, before anything is computed. false after reporting that there is
 * nothing to draw. */
bool predicted_plan_drawing(Predicting *predicting);
/* Draws the picture of --png. false after reporting errors. */
bool predicted_draw(const Predicting *predicting); /* predict_draw.c */

#endif
