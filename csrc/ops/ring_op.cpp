// Adapts dsp::RingView to tensors. A transfer moves all the frames asked for or raises and moves none.
#include "ops/registration.h"
#include "ops/tensors.h"

namespace {

using neutone::dsp::Planar;
using neutone::dsp::RingView;
using neutone::ops::check_apart;
using neutone::ops::checked_count;
using neutone::ops::memory_of;
using neutone::ops::readable_frames;
using neutone::ops::ring_in;
using neutone::ops::Side;
using neutone::ops::Tensor;
using neutone::ops::writable_frames;

void check_channels(const char* op, const char* name, std::size_t channels, const RingView<float>& ring) {
  STD_TORCH_CHECK(channels == ring.channels(), op, ": ", name, " must have the ring's ", ring.channels(),
                  " channels, got ", channels);
}

void check_available(const char* op, const char* name, std::size_t wanted, const RingView<float>& ring) {
  STD_TORCH_CHECK(wanted <= ring.size(), op, ": ", name, " asks for ", wanted, " frames, the ring holds ", ring.size());
}

void ring_write(const Tensor& frames, const Tensor& samples, const Tensor& cursors) {
  const Planar<const float> in = readable_frames("ring_write", "frames", frames);
  RingView<float> ring = ring_in("ring_write", samples, cursors, Side::kProducer);
  check_channels("ring_write", "frames", in.channels, ring);
  check_apart("ring_write", memory_of("frames", in), memory_of("samples", ring.storage()));
  const std::size_t room = ring.reserve(in.frames).frames();
  STD_TORCH_CHECK(room == in.frames, "ring_write: frames brings ", in.frames, ", the ring has room for ", room);
  static_cast<void>(ring.write(in));
}

// Drops the oldest frames if the ring would come to hold more than `max_frames`. Both sides of the ring, one thread.
void ring_push(const Tensor& frames, int64_t max_frames, const Tensor& samples, const Tensor& cursors) {
  Planar<const float> in = readable_frames("ring_push", "frames", frames);
  RingView<float> ring = ring_in("ring_push", samples, cursors, Side::kBoth);
  check_channels("ring_push", "frames", in.channels, ring);
  check_apart("ring_push", memory_of("frames", in), memory_of("samples", ring.storage()));
  const std::size_t limit = checked_count("ring_push", "max_frames", max_frames);
  STD_TORCH_CHECK(ring.size() <= limit && limit <= ring.capacity(), "ring_push: max_frames must be in ", ring.size(),
                  "..", ring.capacity(), ", from the frames in the ring to its capacity, got ", max_frames);
  if (in.frames > limit) in = in.slice_frames(in.frames - limit, limit);
  const std::size_t room = limit - ring.size();
  if (in.frames > room) static_cast<void>(ring.skip(in.frames - room));
  static_cast<void>(ring.write(in));
}

// The checks that ring_read, ring_peek and ring_newest share.
RingView<float> ring_with(const char* op, const Planar<float>& frames, const Tensor& samples, const Tensor& cursors) {
  RingView<float> ring = ring_in(op, samples, cursors, Side::kConsumer);
  check_channels(op, "out", frames.channels, ring);
  check_apart(op, memory_of("out", frames), memory_of("samples", ring.storage()));
  check_available(op, "out", frames.frames, ring);
  return ring;
}

void ring_read(const Tensor& out, const Tensor& samples, const Tensor& cursors) {
  const Planar<float> frames = writable_frames("ring_read", "out", out);
  static_cast<void>(ring_with("ring_read", frames, samples, cursors).read(frames));
}

void ring_peek(const Tensor& out, const Tensor& samples, const Tensor& cursors) {
  const Planar<float> frames = writable_frames("ring_peek", "out", out);
  static_cast<void>(ring_with("ring_peek", frames, samples, cursors).peek(frames));
}

void ring_newest(const Tensor& out, const Tensor& samples, const Tensor& cursors) {
  const Planar<float> frames = writable_frames("ring_newest", "out", out);
  static_cast<void>(ring_with("ring_newest", frames, samples, cursors).newest(frames));
}

void ring_skip(int64_t n_frames, const Tensor& samples, const Tensor& cursors) {
  RingView<float> ring = ring_in("ring_skip", samples, cursors, Side::kConsumer);
  const std::size_t frames = checked_count("ring_skip", "n_frames", n_frames);
  check_available("ring_skip", "n_frames", frames, ring);
  static_cast<void>(ring.skip(frames));
}

// Both sides of the ring, one thread.
void ring_clear(const Tensor& samples, const Tensor& cursors) {
  ring_in("ring_clear", samples, cursors, Side::kBoth).reset();
}

// Any thread: at least so many for the one that reads, at most for the one that writes. A tensor rather than an int,
// because a number that depends on data cannot be traced by torch.export. Its schema says that it writes, or compilers
// would take two calls for one: the other thread may have come in between.
Tensor ring_size(const Tensor& samples, const Tensor& cursors) {
  const auto size = static_cast<int64_t>(ring_in("ring_size", samples, cursors, Side::kNeither).size());
  return neutone::ops::new_integer(size);
}

bool is_first_copy = false;  // see define; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

STABLE_TORCH_LIBRARY_FRAGMENT(neutone, m) {
  is_first_copy = neutone::ops::define(
      m, {
             "ring_write(Tensor frames, Tensor(a!) samples, Tensor(b!) cursors) -> ()",
             "ring_push(Tensor frames, int max_frames, Tensor(a!) samples, Tensor(b!) cursors) -> ()",
             "ring_read(Tensor(a!) out, Tensor samples, Tensor(b!) cursors) -> ()",
             "ring_peek(Tensor(a!) out, Tensor samples, Tensor(b!) cursors) -> ()",
             "ring_newest(Tensor(a!) out, Tensor samples, Tensor(b!) cursors) -> ()",
             "ring_skip(int n_frames, Tensor samples, Tensor(a!) cursors) -> ()",
             "ring_clear(Tensor samples, Tensor(a!) cursors) -> ()",
             "ring_size(Tensor samples, Tensor(a!) cursors) -> Tensor",
         });
}

STABLE_TORCH_LIBRARY_IMPL(neutone, CompositeExplicitAutograd, m) {
  if (!is_first_copy) return;
  m.impl("ring_write", neutone::ops::boxed<&ring_write>);
  m.impl("ring_push", neutone::ops::boxed<&ring_push>);
  m.impl("ring_read", neutone::ops::boxed<&ring_read>);
  m.impl("ring_peek", neutone::ops::boxed<&ring_peek>);
  m.impl("ring_newest", neutone::ops::boxed<&ring_newest>);
  m.impl("ring_skip", neutone::ops::boxed<&ring_skip>);
  m.impl("ring_clear", neutone::ops::boxed<&ring_clear>);
  m.impl("ring_size", neutone::ops::boxed<&ring_size>);
}
