#pragma once

// The stranger's own: nobody but the stranger may get it.
#define STRANGERS_PLANAR 1
