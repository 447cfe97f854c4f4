#pragma once

#include "identity.h"

// What DPF wants to know before it compiles; NEUTONE_PLUGIN_CHANNELS comes from CMake. Of a bundle, identity() knows
// better: name and ids are the example's, and the URI is what the properties of all of them begin with.
#if NEUTONE_PLUGIN_CHANNELS == 1
#define DISTRHO_PLUGIN_NAME "Neutone Example Mono"
#define DISTRHO_PLUGIN_URI "urn:neutone-sdk:example-mono"
#define NEUTONE_EXAMPLE_CLAP_ID "neutone-sdk.example-mono"
#define DISTRHO_PLUGIN_CLAP_FEATURES "audio-effect", "mono"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Fx|Mono"
#else
#define DISTRHO_PLUGIN_NAME "Neutone Example"
#define DISTRHO_PLUGIN_URI "urn:neutone-sdk:example"
#define NEUTONE_EXAMPLE_CLAP_ID "neutone-sdk.example"
#define DISTRHO_PLUGIN_CLAP_FEATURES "audio-effect", "stereo"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Fx|Stereo"
#endif
#define DISTRHO_PLUGIN_CLAP_ID ::neutone::example::identity().clap_id.c_str()
#define DISTRHO_PLUGIN_NUM_INPUTS NEUTONE_PLUGIN_CHANNELS
#define DISTRHO_PLUGIN_NUM_OUTPUTS NEUTONE_PLUGIN_CHANNELS
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_WANT_LATENCY 1
#define DISTRHO_PLUGIN_WANT_STATE 1
