#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>

#include "buffer.h"
#include "check.h"
#include "dsp/spsc_ring.h"
#include "stamps.h"

using neutone::dsp::RingCursors;
using neutone::dsp::RingView;
using neutone::test::Buffer;
using neutone::test::check_stamps;
using neutone::test::fill_stamps;
using neutone::test::kLayouts;
using neutone::test::Layout;
using neutone::test::stamped;

namespace {

constexpr int kRings = 300;
constexpr int kOperationsPerRing = 400;

// One ring of random shape and the slow, obvious queue of frame numbers that it must agree with.
class Twins {
 public:
  explicit Twins(std::uint64_t seed) : random_(seed) {
    cursors_.written = cursors_.read = cursors_.read_seen = cursors_.written_seen = std::uint64_t{random_()} << 20U;
  }

  void step() {
    const std::size_t frames = below(capacity_ + 3);
    switch (below(8)) {
      case 0: write(frames); break;
      case 1: publish(frames); break;
      case 2: read(frames); break;
      case 3: consume(frames); break;
      case 4: peek(frames); break;
      case 5: newest(frames); break;
      case 6: skip(frames); break;
      default: reset_rarely(); break;
    }
    CHECK(ring_.size() == queue_.size());
  }

 private:
  std::size_t below(std::size_t end) { return random_() % end; }
  Layout layout() { return kLayouts.at(below(kLayouts.size())); }
  [[nodiscard]] std::uint64_t oldest() const { return queue_.empty() ? next_ : queue_.front(); }
  [[nodiscard]] std::size_t room() const { return capacity_ - queue_.size(); }

  void push(std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) queue_.push_back(next_++);
  }
  void pop(std::size_t frames) { queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(frames)); }

  void write(std::size_t frames) {
    const std::size_t fitting = std::min(frames, room());
    CHECK(ring_.write(stamped(channels_, frames, next_, layout()).planar()) == fitting);
    push(fitting);
  }

  void publish(std::size_t frames) {
    const auto reserved = ring_.reserve(frames);
    CHECK(reserved.frames() == std::min(frames, room()));
    const std::size_t used = below(reserved.frames() + 1);
    fill_stamps(reserved.head, next_);
    fill_stamps(reserved.tail, next_ + reserved.head.frames);
    ring_.publish(used);
    push(used);
  }

  void read(std::size_t frames) {
    const Buffer out(channels_, frames, layout());
    const std::size_t ready = std::min(frames, queue_.size());
    CHECK(ring_.read(out.planar()) == ready);
    check_stamps(out.first(ready), oldest());
    pop(ready);
  }

  void consume(std::size_t frames) {
    const auto ready = ring_.readable(frames);
    CHECK(ready.frames() == std::min(frames, queue_.size()));
    check_stamps(ready.head, oldest());
    check_stamps(ready.tail, oldest() + ready.head.frames);
    const std::size_t used = below(ready.frames() + 1);
    ring_.consume(used);
    pop(used);
  }

  void peek(std::size_t frames) {
    const Buffer out(channels_, frames, layout());
    const std::size_t ready = std::min(frames, queue_.size());
    CHECK(ring_.peek(out.planar()) == ready);
    check_stamps(out.first(ready), oldest());
  }

  void newest(std::size_t frames) {
    const Buffer out(channels_, frames, layout());
    const std::size_t ready = std::min(frames, queue_.size());
    CHECK(ring_.newest(out.planar()) == ready);
    check_stamps(out.first(ready), next_ - ready);
  }

  void skip(std::size_t frames) {
    const std::size_t ready = std::min(frames, queue_.size());
    CHECK(ring_.skip(frames) == ready);
    pop(ready);
  }

  void reset_rarely() {
    if (below(20) != 0) return;
    ring_.reset();
    queue_.clear();
  }

  std::mt19937_64 random_;
  std::uint64_t next_ = 0;
  std::deque<std::uint64_t> queue_;
  std::size_t channels_ = 1 + below(4);
  std::size_t capacity_ = std::size_t{1} << below(7);
  Buffer storage_{channels_, capacity_, layout()};
  RingCursors cursors_;
  RingView<float> ring_{storage_.planar(), cursors_};
};

void random_operations_agree_with_a_deque() {
  std::mt19937_64 seeds(neutone::test::seed());
  for (int ring = 0; ring < kRings; ++ring) {
    Twins twins(seeds());
    for (int i = 0; i < kOperationsPerRing; ++i) twins.step();
  }
}

}  // namespace

int main() { return neutone::test::run_tests({TEST(random_operations_agree_with_a_deque)}); }
