/* --device auto. Internal to engine/build. */
#ifndef MLC_ENGINE_BUILD_CHOOSE_DEVICE_H
#define MLC_ENGINE_BUILD_CHOOSE_DEVICE_H

#include "engine/build/build.h"

/* Opens GPU 0 if build->work takes less time there, and sets build->choice. No bit depends on the
 * choice. What speaks against the GPU, such as a missing driver, is no error. false after reporting
 * an error of the model. */
bool choose_device(Build *build);

#endif
