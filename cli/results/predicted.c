/* Facts about the predicted rows: pixels, true classes, mistakes. */
#include "cli/results/predicted.h"

const uint8_t *predicted_pixels(const Predicting *predicting, int64_t i) {
    const uint8_t *images =
        dataset_field(predicting->session.dataset, predicting->session.build.info->image_field);
    return images + (int64_t)predicting->rows[i] * predicting->height * predicting->width;
}

int32_t predicted_truth(const Predicting *predicting, const Predictions *output, int64_t i) {
    return true_class(&predicting->session, output->output, predicting->rows[i]);
}

bool predicted_wrongly(const Predicting *predicting, const Predictions *output, int64_t i) {
    int32_t truth = predicted_truth(predicting, output, i);
    return output->output->classes && truth >= 0 && truth != prediction_class(output, i);
}

int64_t predicted_known(const Predicting *predicting, const Predictions *output) {
    int64_t known = 0;
    for (int64_t i = 0; i < predicting->count; i++)
        known += predicted_truth(predicting, output, i) >= 0;
    return known;
}

int64_t predicted_mistakes(const Predicting *predicting, const Predictions *output) {
    int64_t mistakes = 0;
    for (int64_t i = 0; i < predicting->count; i++)
        mistakes += predicted_wrongly(predicting, output, i);
    return mistakes;
}
