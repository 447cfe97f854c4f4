// What a DAW loads: everything that the libraries have goes into a shared object.
#include <neutone/dsp/biquad_design.h>
#include <neutone/engine/engine.h>

#include <memory>

extern "C" void* make_engine() {
  return std::make_unique<neutone::engine::Engine>(std::make_shared<neutone::engine::WorkerPool>()).release();
}
