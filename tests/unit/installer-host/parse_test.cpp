// Small readers of foreign text and bytes.
#include <gtest/gtest.h>

#include "installer/host/dpkg.hpp"
#include "installer/host/facts_parts.hpp"
#include "installer/host/http.hpp"
#include "installer/host/kernel.hpp"
#include "installer/host/ssh_errors.hpp"
#include "lib/base/files.hpp"

namespace sealift::installer {
namespace {

TEST(DpkgStatus, CountsOnlyWhatIsInstalled) {
  const auto found = parse_dpkg_status(
      "Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9\nDescription: "
      "x\n Version: 9\n\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
      "Package: half\nStatus: install ok half-configured\nVersion: 1\n\n"
      "Package: held\nStatus: hold ok installed\nArchitecture: all\nVersion: 2:3~a");
  EXPECT_EQ(found.at("nginx"), "1.22.1-9");
  EXPECT_EQ(found.at("nginx:amd64"), "1.22.1-9");
  EXPECT_EQ(found.at("held"), "2:3~a");
  EXPECT_FALSE(found.contains("gone"));
  EXPECT_FALSE(found.contains("half"));
}

TEST(FstabSwap, SeesSwapWhateverItsDevice) {
  EXPECT_TRUE(is_fstab_swap("/swap.img none swap sw 0 0"));
  EXPECT_TRUE(is_fstab_swap("UUID=ab\tnone\tswap\tsw\t0\t0"));
  EXPECT_FALSE(is_fstab_swap("# /swap.img none swap sw 0 0"));
  EXPECT_FALSE(is_fstab_swap("#/swap.img none swap sw 0 0"));
  EXPECT_FALSE(is_fstab_swap("/dev/sda1 /swap ext4 defaults 0 1"));
  EXPECT_FALSE(is_fstab_swap(""));
}

TEST(KernelConfig, IsWhereKubeadmLooks) {
  const auto root = TemporaryDirectory::create("kernel").value();
  EXPECT_EQ(kernel_config(root.path().string(), "6.1.0-1-test"), "");
  ASSERT_TRUE(sealift::create_directories((root.path() / "boot").string()));
  ASSERT_TRUE(write_file_atomically((root.path() / "boot/config-6.1.0-1-test").string(), "CONFIG_X=y\n"));
  EXPECT_EQ(kernel_config(root.path().string(), "6.1.0-1-test"), "/boot/config-6.1.0-1-test");
  EXPECT_EQ(kernel_config(root.path().string(), "6.1.0-2-other"), "");
}

std::string vrrp_packet(unsigned char version_type) {
  std::string packet("\x45\xc0\x00\x28\x00\x01\x00\x00\xff\x70\x00\x00", 12);
  packet += std::string("\x0a\x63\x00\x0b", 4) + std::string("\xe0\x00\x00\x12", 4);
  packet += static_cast<char>(version_type);
  packet += std::string("\x33\x65\x01\x00\x01\x00\x00", 7);  // router 51, priority 101, one address
  packet += std::string("\x0a\x63\x00\x64", 4);
  return packet;
}

TEST(RefusesPackets, SeesRulesAndPoliciesOfTheAdministrator) {
  EXPECT_TRUE(
      refuses_packets("table inet filter {\n\tchain input {\n\t\ttype filter hook input priority "
                      "filter; policy drop;\n\t}\n}\n",
                      {}));
  EXPECT_TRUE(refuses_packets(":INPUT DROP [0:0]\n", {}));
  EXPECT_TRUE(refuses_packets("-A INPUT -p tcp -j REJECT --reject-with icmp-port-unreachable\n", {}));
  EXPECT_FALSE(
      refuses_packets(":INPUT ACCEPT [0:0]\n:KUBE-FIREWALL - [0:0]\n"
                      "-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP\n",
                      {}));
}

/// What nft showed of Debian 12's firewalld and ufw, shortened.
TEST(RefusesPackets, TellsKnownFirewallsFromRulesBesideThem) {
  const std::string firewalld =
      "table inet firewalld {\n\tchain filter_INPUT {\n\t\treject with icmpx admin-prohibited\n\t}\n}\n";
  const std::string ufw =
      "table ip filter {\n\tchain ufw-before-input {\n\t\tct state invalid counter packets 0 bytes 0 "
      "drop\n\t}\n"
      "\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n";
  const std::string own = "table inet mine {\n\tchain input {\n\t\ttcp dport 6443 drop\n\t}\n}\n";
  for (const std::string& name : {std::string("firewalld"), std::string("ufw")}) {
    const std::string& rules = name == "ufw" ? ufw : firewalld;
    EXPECT_TRUE(refuses_packets(rules, {})) << name;
    EXPECT_FALSE(refuses_packets(rules, {name})) << name;
    EXPECT_TRUE(refuses_packets(rules + own, {name})) << name;
  }
  EXPECT_TRUE(refuses_packets(ufw +
                                  "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority "
                                  "filter; policy drop;\n\t}\n}\n",
                              {"ufw"}));
  EXPECT_FALSE(refuses_packets(":INPUT DROP [0:0]\n-A ufw-reject-input -j REJECT\n", {"ufw"}));
}

TEST(ParseVrrp, ReadsVersions2And3) {
  VrrpFact fact;
  for (const unsigned char version : std::vector<unsigned char>{0x21, 0x31}) {
    ASSERT_TRUE(parse_vrrp(vrrp_packet(version), fact));
    EXPECT_EQ(fact.source, "10.99.0.11");
    EXPECT_EQ(fact.router_id, 51U);
    EXPECT_EQ(fact.priority, 101U);
    EXPECT_EQ(fact.addresses, std::vector<std::string>{"10.99.0.100"});
  }
}

TEST(ParseVrrp, RefusesEveryTruncationAndOtherProtocols) {
  const std::string whole = vrrp_packet(0x21);
  VrrpFact fact;
  for (std::size_t size = 0; size < 28; ++size) EXPECT_FALSE(parse_vrrp(whole.substr(0, size), fact)) << size;
  EXPECT_TRUE(parse_vrrp(whole.substr(0, 28), fact)) << "the announced address is missing: read as none";
  EXPECT_TRUE(fact.addresses.empty());
  std::string other = whole;
  other[9] = 6;
  EXPECT_FALSE(parse_vrrp(other, fact));
  EXPECT_FALSE(parse_vrrp(vrrp_packet(0x22), fact)) << "not an advertisement";
}

TEST(NumericUrl, TakesAddressesOnly) {
  const auto four = parse_numeric_url("http://10.0.0.10:12480/files/a?b");
  ASSERT_TRUE(four);
  EXPECT_EQ(four->host, "10.0.0.10");
  EXPECT_EQ(four->port, 12480);
  EXPECT_EQ(four->target, "/files/a?b");
  const auto six = parse_numeric_url("https://[fd00::1]");
  ASSERT_TRUE(six);
  EXPECT_TRUE(six->tls);
  EXPECT_EQ(six->host, "fd00::1");
  EXPECT_EQ(six->port, 443);
  for (const char* bad :
       {"ftp://1.2.3.4/", "http://example.org/", "http://1.2.3.4:0/", "http://1.2.3.4:99999/",
        "http://1.2.3.4/a b", "http://[fd00::1/", "", "http://user@1.2.3.4/"}) {
    EXPECT_FALSE(parse_numeric_url(bad)) << bad;
  }
}

TEST(SshErrors, NameTheCauseAndTheCure) {
  const HostAddress host{"cp1", "10.0.0.11"};
  const auto unknown = ssh_error(
      host, false,
      "No ED25519 host key is known for 10.0.0.11 and you have requested strict checking.\r\nHost key "
      "verification failed.\r\n",
      "ssh-ed25519 SHA256:abc");
  EXPECT_EQ(unknown.value().code(), ErrorCode::authentication);
  EXPECT_NE(unknown.value().message().find("SHA256:abc"), std::string::npos);
  EXPECT_NE(unknown.value().message().find("known_hosts"), std::string::npos);
  const auto changed = ssh_error(
      host, false,
      "@@@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n@@@@@@\r\nIT IS "
      "POSSIBLE\r\nHost key verification failed.",
      "");
  EXPECT_NE(changed.value().message().find("ssh-keygen -R 10.0.0.11"), std::string::npos);
  EXPECT_EQ(changed.value().message().find("@@@"), std::string::npos);
  EXPECT_EQ(ssh_error(host, true, "sudo: a password is required", "").value().code(),
            ErrorCode::precondition);
  EXPECT_EQ(ssh_error(host, false, "u@h: Permission denied (publickey).", "").value().code(),
            ErrorCode::authentication);
  EXPECT_EQ(ssh_error(host, false, "ssh: connect to host h port 22: Connection refused", "").value().code(),
            ErrorCode::network);
  EXPECT_EQ(ssh_error(host, false, "sh: 1: exec: /x: Permission denied", "").value().code(),
            ErrorCode::precondition);
}

}  // namespace
}  // namespace sealift::installer
