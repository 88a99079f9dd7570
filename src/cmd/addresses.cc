#include "cmd/addresses.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <memory>

namespace rival::cmd {
namespace {

std::string address_text(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address->sa_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text, sizeof text);
  return text;
}

}  // namespace

std::vector<std::string> own_addresses(const std::string& host) {
  if (host == "::1") return {"[::1]"};
  if (host != "0.0.0.0" && host != "::") return {host.find(':') == std::string::npos ? host : "[" + host + "]"};
  std::vector<std::string> addresses = {"127.0.0.1"};
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return addresses;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    if (!entry->ifa_addr || !(entry->ifa_flags & IFF_UP) || (entry->ifa_flags & IFF_LOOPBACK)) continue;
    if (std::string text = address_text(entry->ifa_addr); !text.empty()) addresses.push_back(std::move(text));
  }
  return addresses;
}

std::vector<std::string> own_host_names() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0 || !*name) return {};
  const std::string own(name);
  return own.find('.') == std::string::npos ? std::vector<std::string>{own, own + ".local"} : std::vector<std::string>{own};
}

}  // namespace rival::cmd
