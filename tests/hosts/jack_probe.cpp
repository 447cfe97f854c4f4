// Sends a stream of numbered samples through a JACK client, and says as one line of JSON what comes back.
//
//   jack_probe CLIENT CHANNELS SECONDS
//
// Sample i of a channel is (i % 65536 + 1) / 65536, which a float holds exactly; of the second channel minus that. What
// sends and what receives are two clients, so that JACK runs both in every period, one before the other, and the lag is
// that of the client in between. Counted from the first sample that comes back on.
#include <jack/jack.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::uint32_t kNumbers = 65'536;
constexpr std::uint32_t kMoved = 100;
constexpr std::size_t kMaxChannels = 2;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

class Client {
 public:
  Client(const char* name, std::size_t channels, unsigned long direction, JackProcessCallback process, void* context)
      : client_(jack_client_open(name, JackNoStartServer, nullptr)) {
    require(client_ != nullptr, "no JACK server");
    for (std::size_t i = 0; i < channels; ++i) {
      ports_[i] = jack_port_register(client_, std::to_string(i + 1).c_str(), JACK_DEFAULT_AUDIO_TYPE, direction, 0);
      require(ports_[i] != nullptr, "no port");
    }
    jack_set_process_callback(client_, process, context);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { jack_client_close(client_); }

  [[nodiscard]] jack_client_t* get() const { return client_; }
  [[nodiscard]] const char* port_name(std::size_t channel) const { return jack_port_name(ports_[channel]); }
  [[nodiscard]] float* buffer(std::size_t channel, jack_nframes_t frames) const {
    return static_cast<float*>(jack_port_get_buffer(ports_[channel], frames));
  }

 private:
  jack_client_t* client_;
  std::array<jack_port_t*, kMaxChannels> ports_{};
};

class Probe {
 public:
  explicit Probe(std::size_t channels)
      : channels_(channels),
        source_("source", channels, JackPortIsOutput, &Probe::send, this),
        sink_("sink", channels, JackPortIsInput, &Probe::receive, this) {
    jack_set_xrun_callback(sink_.get(), [](void* self) { return ++static_cast<Probe*>(self)->xruns_, 0; }, this);
  }

  void run(const std::string& client, double seconds) {
    require(jack_activate(source_.get()) == 0 && jack_activate(sink_.get()) == 0, "cannot activate");
    connect(client);
    const double frames = seconds * jack_get_sample_rate(sink_.get());
    for (int waits = 0; static_cast<double>(frames_.load()) < frames; ++waits) {
      pause();
      require(frames_ > 0 || waits < 2000, "nothing came back");
    }
    read_latency();
    jack_deactivate(sink_.get());
    jack_deactivate(source_.get());
  }

  [[nodiscard]] std::string report() const {
    std::string lags;
    for (std::size_t i = 0; i < n_lags_; ++i) lags += (i > 0 ? ", " : "") + std::to_string(lags_[i]);
    return R"({"frames": )" + std::to_string(frames_) + R"(, "zeros": )" + std::to_string(zeros_) + R"(, "wrong": )" +
           std::to_string(wrong_) + R"(, "latency": )" + std::to_string(latency_) + R"(, "lags": [)" + lags +
           R"(], "xruns": )" + std::to_string(xruns_) + "}";
  }

 private:
  // A client's ports are there before it takes part.
  void connect(const std::string& client) {
    for (const bool is_input : {true, false}) {
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        for (int waits = 0; !try_to_connect(client, channel, is_input); ++waits) {
          require(waits < 1000, "cannot connect " + client);
          pause();
        }
      }
    }
    is_connected_ = true;
  }

  bool try_to_connect(const std::string& client, std::size_t channel, bool is_input) {
    const std::string pattern = "^" + client + ":.*audio.*_" + std::to_string(channel + 1) + "$";
    const char** ports = jack_get_ports(sink_.get(), pattern.c_str(), JACK_DEFAULT_AUDIO_TYPE,
                                        is_input ? JackPortIsInput : JackPortIsOutput);
    if (ports == nullptr) return false;
    const std::string port = ports[0];
    jack_free(static_cast<void*>(ports));
    if (!is_input && channel == 0) returning_ = port;
    const int error = is_input ? jack_connect(sink_.get(), source_.port_name(channel), port.c_str())
                               : jack_connect(sink_.get(), port.c_str(), sink_.port_name(channel));
    return error == 0 || error == EEXIST;
  }

  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }

  // What the client between has told JACK. jalv 1.6 tells it under the opposite direction.
  void read_latency() {
    jack_port_t* const port = jack_port_by_name(sink_.get(), returning_.c_str());
    for (const auto mode : {JackCaptureLatency, JackPlaybackLatency}) {
      jack_latency_range_t range{};
      jack_port_get_latency_range(port, mode, &range);
      latency_ = std::max(latency_, range.max);
    }
  }

  static int send(jack_nframes_t frames, void* context) {
    auto& self = *static_cast<Probe*>(context);
    const std::uint32_t first = self.sent_;
    const float level = self.is_connected_ ? 1.0F : 0.0F;
    for (std::size_t channel = 0; channel < self.channels_; ++channel) {
      float* out = self.source_.buffer(channel, frames);
      const float sign = channel == 0 ? level : -level;
      for (jack_nframes_t i = 0; i < frames; ++i) {
        out[i] = sign * static_cast<float>((first + i) % kNumbers + 1) / static_cast<float>(kNumbers);
      }
    }
    self.period_ = first;
    self.sent_ = first + frames;
    return 0;
  }

  static int receive(jack_nframes_t frames, void* context) {
    auto& self = *static_cast<Probe*>(context);
    std::array<const float*, kMaxChannels> in{};
    for (std::size_t channel = 0; channel < self.channels_; ++channel) in[channel] = self.sink_.buffer(channel, frames);
    for (jack_nframes_t i = 0; i < frames; ++i) self.judge(in, i);
    return 0;
  }

  void judge(const std::array<const float*, kMaxChannels>& in, jack_nframes_t i) {
    const float left = in[0][i];
    const float right = channels_ == 2 ? in[1][i] : -left;
    if (left == 0.0F && frames_ == 0) return;
    ++frames_;
    const float number = left * static_cast<float>(kNumbers) - 1.0F;
    if (left == 0.0F && right == 0.0F) {
      ++zeros_;
    } else if (left != -right || number < 0.0F || number != static_cast<float>(static_cast<std::uint32_t>(number))) {
      ++wrong_;
    } else {
      take_lag((period_ + i - static_cast<std::uint32_t>(number)) % kNumbers);
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

  std::size_t channels_;
  std::atomic<bool> is_connected_ = false;  // before that, silence is sent
  Client source_;
  Client sink_;
  std::atomic<std::uint32_t> period_ = 0;  // number of the period's first sample
  std::uint32_t sent_ = 0;
  std::atomic<std::uint64_t> frames_ = 0;
  std::uint64_t zeros_ = 0;
  std::uint64_t wrong_ = 0;
  std::array<std::uint32_t, 64> lags_{};  // one after the other, where another one begins
  std::size_t n_lags_ = 0;
  std::uint32_t next_lag_ = 0;
  std::uint32_t n_alike_ = 0;   // with that lag
  std::string returning_;       // the client's first output
  jack_nframes_t latency_ = 0;  // of it, as JACK knows
  std::atomic<int> xruns_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    require(arguments.size() == 3, "usage: jack_probe CLIENT CHANNELS SECONDS");
    Probe probe(std::stoul(arguments[1]));
    probe.run(arguments[0], std::stod(arguments[2]));
    std::printf("%s\n", probe.report().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jack_probe: %s\n", error.what());
    return 1;
  }
}
