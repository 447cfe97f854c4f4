#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "dsp/planar.h"
#include "engine/semaphore.h"

namespace neutone::bench {

// A ring that takes and gives single samples, each channel with positions of its own, as anira's RingBuffer does.
class SampleRing {
 public:
  SampleRing(std::size_t channels, std::size_t frames) : channels_(channels) {
    for (Channel& channel : channels_) channel.samples.resize(frames);
  }

  void push_sample(std::size_t channel, float sample) noexcept {
    Channel& to = channels_[channel];
    if (to.is_full && ++to.read == to.samples.size()) to.read = 0;
    to.samples[to.written] = sample;
    if (++to.written == to.samples.size()) to.written = 0;
    to.is_full = to.written == to.read;
  }
  float pop_sample(std::size_t channel) noexcept {
    Channel& from = channels_[channel];
    if (!from.is_full && from.read == from.written) return 0.0F;
    const float sample = from.samples[from.read];
    if (++from.read == from.samples.size()) from.read = 0;
    from.is_full = false;
    return sample;
  }
  [[nodiscard]] std::size_t available() const noexcept {
    const Channel& channel = channels_[0];
    if (channel.is_full) return channel.samples.size();
    const std::size_t wrapped = channel.written < channel.read ? channel.samples.size() : 0;
    return channel.written + wrapped - channel.read;
  }

 private:
  struct Channel {
    std::vector<float> samples;
    std::size_t read = 0;
    std::size_t written = 0;
    bool is_full = false;
  };
  std::vector<Channel> channels_;
};

// What a callback costs in the design that anira has, as a stand-in of our own: samples go one by one into a ring, out
// of it into a block for the model, and come back the same way; blocks go to a thread by a semaphore and are asked for
// in their order. Written to be fast: no logging, no table of sessions, no queue for several threads.
class SampleRings {
 public:
  SampleRings(std::size_t channels, std::size_t block_frames)
      : channels_(channels),
        block_frames_(block_frames),
        send_(channels, 4 * block_frames),
        receive_(channels, 4 * block_frames) {
    for (Slot& slot : slots_) slot.samples.resize(channels * block_frames);
    for (std::size_t channel = 0; channel < channels; ++channel) {
      for (std::size_t i = 0; i < 2 * block_frames; ++i) receive_.push_sample(channel, 0.0F);
    }
    worker_ = std::thread([this] { work(); });
  }
  SampleRings(const SampleRings&) = delete;
  SampleRings& operator=(const SampleRings&) = delete;
  ~SampleRings() {
    is_stopping_ = true;
    ready_.post();
    worker_.join();
  }

  void process(const dsp::Planar<const float>& in, const dsp::Planar<float>& out) noexcept {
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      for (std::size_t i = 0; i < in.frames; ++i) send_.push_sample(channel, in.row(channel)[i]);
    }
    while (send_.available() >= block_frames_) submit();
    while (slots_[n_taken_ % slots_.size()].is_done.exchange(false, std::memory_order_acquire)) take();
    if (receive_.available() < out.frames) return;
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      for (std::size_t i = 0; i < out.frames; ++i) out.row(channel)[i] = receive_.pop_sample(channel);
    }
  }
  [[nodiscard]] std::uint64_t n_done() const noexcept { return n_done_; }

 private:
  struct Slot {
    std::vector<float> samples;
    std::atomic<bool> is_done{false};
  };

  void submit() noexcept {
    Slot& slot = slots_[n_submitted_++ % slots_.size()];
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      for (std::size_t i = 0; i < block_frames_; ++i) {
        slot.samples[channel * block_frames_ + i] = send_.pop_sample(channel);
      }
    }
    ready_.post();
  }
  void take() noexcept {
    const Slot& slot = slots_[n_taken_++ % slots_.size()];
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      for (std::size_t i = 0; i < block_frames_; ++i) {
        receive_.push_sample(channel, slot.samples[channel * block_frames_ + i]);
      }
    }
  }
  // The model is the identity: what is in the block stays there.
  void work() noexcept {
    for (std::uint64_t i = 0; true; ++i) {
      ready_.wait();
      if (is_stopping_) return;
      slots_[i % slots_.size()].is_done.store(true, std::memory_order_release);
      ++n_done_;
    }
  }

  std::size_t channels_;
  std::size_t block_frames_;
  SampleRing send_;
  SampleRing receive_;
  std::array<Slot, 4> slots_;
  std::uint64_t n_submitted_ = 0;
  std::uint64_t n_taken_ = 0;
  engine::Semaphore ready_;
  std::atomic<std::uint64_t> n_done_{0};
  std::atomic<bool> is_stopping_{false};
  std::thread worker_;
};

}  // namespace neutone::bench
