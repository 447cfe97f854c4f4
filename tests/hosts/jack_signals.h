#pragma once

// What jack_probe sends, and what it makes of what comes back.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host_files.h"

// A stream of frames with a row for each channel. JACK's threads call send and receive, one after the other.
class Signal {
 public:
  using Rows = std::span<float* const>;

  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  virtual ~Signal() = default;

  // Frames from `first` on; 0 is the first one that is sent.
  virtual void send(std::uint32_t first, const Rows& out, std::size_t frames) = 0;
  // What came back in the period in which the frames from `first` on were sent, if any were.
  virtual void receive(std::uint32_t first, const Rows& in, std::size_t frames) = 0;
  [[nodiscard]] virtual std::size_t frames_received() const = 0;
  // The members of a JSON object.
  [[nodiscard]] virtual std::string report() const = 0;
};

// Sample i of a channel is (i % 65536 + 1) / 65536, which a float holds exactly; of the second channel minus that.
// Counted from the first sample that comes back on.
class Numbers final : public Signal {
 public:
  void send(std::uint32_t first, const Rows& out, std::size_t frames) override {
    for (std::size_t channel = 0; channel < out.size(); ++channel) {
      const float sign = channel == 0 ? 1.0F : -1.0F;
      for (std::size_t i = 0; i < frames; ++i) {
        const auto number = (first + static_cast<std::uint32_t>(i)) % kNumbers + 1;
        out[channel][i] = sign * static_cast<float>(number) / static_cast<float>(kNumbers);
      }
    }
  }

  void receive(std::uint32_t first, const Rows& in, std::size_t frames) override {
    for (std::size_t i = 0; i < frames; ++i) {
      judge(first + static_cast<std::uint32_t>(i), in[0][i], in.size() == 2 ? in[1][i] : -in[0][i]);
    }
  }

  [[nodiscard]] std::size_t frames_received() const override { return frames_; }

  [[nodiscard]] std::string report() const override {
    std::string lags;
    for (std::size_t i = 0; i < n_lags_; ++i) lags += (i > 0 ? ", " : "") + std::to_string(lags_[i]);
    return R"("frames": )" + std::to_string(frames_) + R"(, "zeros": )" + std::to_string(zeros_) + R"(, "wrong": )" +
           std::to_string(wrong_) + R"(, "lags": [)" + lags + "]";
  }

 private:
  static constexpr std::uint32_t kNumbers = 65'536;
  static constexpr std::uint32_t kMoved = 100;

  void judge(std::uint32_t position, float left, float right) {
    if (left == 0.0F && frames_ == 0) return;
    ++frames_;
    const float number = left * static_cast<float>(kNumbers) - 1.0F;
    if (left == 0.0F && right == 0.0F) {
      ++zeros_;
    } else if (left != -right || number < 0.0F || number != static_cast<float>(static_cast<std::uint32_t>(number))) {
      ++wrong_;
    } else {
      take_lag((position - static_cast<std::uint32_t>(number)) % kNumbers);
    }
  }

  // Samples with another lag than before are changed ones, such as those of a fade, unless so many follow one another
  // that the stream has moved.
  void take_lag(std::uint32_t lag) {
    if (n_lags_ > 0 && lag == lags_[n_lags_ - 1]) return;
    n_alike_ = lag == next_lag_ ? n_alike_ + 1 : 1;
    next_lag_ = lag;
    ++wrong_;
    if (n_alike_ < kMoved || n_lags_ == lags_.size()) return;
    lags_[n_lags_++] = lag;
    wrong_ -= n_alike_;
  }

  std::atomic<std::size_t> frames_ = 0;
  std::uint64_t zeros_ = 0;
  std::uint64_t wrong_ = 0;
  std::array<std::uint32_t, 64> lags_{};  // one after the other, where another one begins
  std::size_t n_lags_ = 0;
  std::uint32_t next_lag_ = 0;
  std::uint32_t n_alike_ = 0;  // with that lag
};

// The audio of a file of raw float32, one channel after the other; what comes back while it is sent becomes another.
class Recording final : public Signal {
 public:
  Recording(const std::string& source, std::string target, std::size_t channels)
      : target_(std::move(target)),
        in_(neutone::test::read_samples(source)),
        out_(in_.size()),
        frames_(in_.size() / channels) {
    neutone::test::require(!in_.empty(), "nothing to read in " + source);
  }

  void send(std::uint32_t first, const Rows& out, std::size_t frames) override {
    for (std::size_t channel = 0; channel < out.size(); ++channel) {
      for (std::size_t i = 0; i < frames; ++i)
        out[channel][i] = first + i < frames_ ? in_[at(channel, first + i)] : 0.0F;
    }
  }

  void receive(std::uint32_t first, const Rows& in, std::size_t frames) override {
    const std::size_t count = std::min(frames, frames_ - std::min<std::size_t>(first, frames_));
    for (std::size_t channel = 0; channel < in.size(); ++channel) {
      for (std::size_t i = 0; i < count; ++i) out_[at(channel, first + i)] = in[channel][i];
    }
    received_ = first + count;
  }

  [[nodiscard]] std::size_t frames_received() const override { return received_; }

  // Writes the file, too.
  [[nodiscard]] std::string report() const override {
    neutone::test::write_samples(target_, out_);
    return R"("frames": )" + std::to_string(received_);
  }

 private:
  [[nodiscard]] std::size_t at(std::size_t channel, std::size_t frame) const { return channel * frames_ + frame; }

  std::string target_;
  std::vector<float> in_;
  std::vector<float> out_;
  std::size_t frames_;
  std::atomic<std::size_t> received_ = 0;
};
