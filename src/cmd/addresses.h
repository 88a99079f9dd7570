#pragma once

#include <string>
#include <vector>

namespace rival::cmd {

// The names and addresses that other machines may call this one by: loopback first, then its network addresses.
// With `host` other than 0.0.0.0 or :: that one alone.
std::vector<std::string> own_addresses(const std::string& host);

// This machine's name, and the same with ".local", which home networks know it by.
std::vector<std::string> own_host_names();

}  // namespace rival::cmd
