// Sends a stream through a JACK client, and says as one line of JSON what comes back.
//
//   jack_probe CLIENT CHANNELS SECONDS           numbered samples, of which each that comes back is judged
//   jack_probe CLIENT CHANNELS SECONDS IN OUT    the audio of a file; what comes back meanwhile goes into another. Both
//                                                are raw float32, one channel after the other, and of that length
//
// What sends and what receives are two clients, so that JACK runs both in every period, one before the other, and the
// lag is that of the client in between.
#include <jack/jack.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "host_files.h"
#include "jack_signals.h"

using neutone::test::require;

namespace {

constexpr std::size_t kMaxChannels = 2;

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
  Probe(Signal& signal, std::size_t channels)
      : signal_(signal),
        channels_(channels),
        source_("source", channels, JackPortIsOutput, &Probe::send, this),
        sink_("sink", channels, JackPortIsInput, &Probe::receive, this) {
    jack_set_xrun_callback(sink_.get(), [](void* self) { return ++static_cast<Probe*>(self)->xruns_, 0; }, this);
  }

  void run(const std::string& client, double seconds) {
    require(jack_activate(source_.get()) == 0 && jack_activate(sink_.get()) == 0, "cannot activate");
    connect(client);
    const double frames = seconds * jack_get_sample_rate(sink_.get());
    for (int waits = 0; static_cast<double>(signal_.frames_received()) < frames; ++waits) {
      pause();
      require(signal_.frames_received() > 0 || waits < 2000, "nothing came back");
    }
    read_latency();
    jack_deactivate(sink_.get());
    jack_deactivate(source_.get());
  }

  [[nodiscard]] std::string report() const {
    return std::string("{") + signal_.report() + R"(, "latency": )" + std::to_string(latency_) + R"(, "xruns": )" +
           std::to_string(xruns_) + "}";
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

  // All buffers of a period.
  class Buffers {
   public:
    Buffers(const Client& client, std::size_t channels, jack_nframes_t frames) : channels_(channels) {
      for (std::size_t channel = 0; channel < channels; ++channel) rows_[channel] = client.buffer(channel, frames);
    }
    [[nodiscard]] Signal::Rows rows() const { return {rows_.data(), channels_}; }

   private:
    std::array<float*, kMaxChannels> rows_{};
    std::size_t channels_;
  };

  static int send(jack_nframes_t frames, void* context) {
    auto& self = *static_cast<Probe*>(context);
    const Buffers out(self.source_, self.channels_, frames);
    self.is_sending_ = self.is_connected_.load();
    if (!self.is_sending_) {
      for (float* row : out.rows()) std::fill_n(row, frames, 0.0F);
      return 0;
    }
    self.signal_.send(self.sent_, out.rows(), frames);
    self.period_ = self.sent_;
    self.sent_ += frames;
    return 0;
  }

  static int receive(jack_nframes_t frames, void* context) {
    auto& self = *static_cast<Probe*>(context);
    if (!self.is_sending_) return 0;
    self.signal_.receive(self.period_, Buffers(self.sink_, self.channels_, frames).rows(), frames);
    return 0;
  }

  Signal& signal_;
  std::size_t channels_;
  std::atomic<bool> is_connected_ = false;  // before that, silence is sent
  Client source_;
  Client sink_;
  std::atomic<bool> is_sending_ = false;   // in this period
  std::atomic<std::uint32_t> period_ = 0;  // number of its first sample
  std::uint32_t sent_ = 0;
  std::string returning_;       // the client's first output
  jack_nframes_t latency_ = 0;  // of it, as JACK knows
  std::atomic<int> xruns_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    require(arguments.size() == 3 || arguments.size() == 5, "usage: jack_probe CLIENT CHANNELS SECONDS [IN OUT]");
    const std::size_t channels = std::stoul(arguments[1]);
    std::unique_ptr<Signal> signal;
    if (arguments.size() == 3) {
      signal = std::make_unique<Numbers>();
    } else {
      signal = std::make_unique<Recording>(arguments[3], arguments[4], channels);
    }
    Probe probe(*signal, channels);
    probe.run(arguments[0], std::stod(arguments[2]));
    std::printf("%s\n", probe.report().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "jack_probe: %s\n", error.what());
    return 1;
  }
}
