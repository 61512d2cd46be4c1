"""The agent of one hypervisor: logical flows to Open vSwitch."""
