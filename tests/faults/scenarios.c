// SPDX-License-Identifier: GPL-2.0-or-later
/* What is run, and what it begins with. */
#include "faults.h"

#define ALL (1u << KIND_ERRORS | 1u << KIND_KILLS | 1u << KIND_STOPS | 1u << KIND_MEMORY)
#define READS (1u << KIND_ERRORS | 1u << KIND_MEMORY)
#define MEMORY (1u << KIND_MEMORY)

#define CHANGE(name, start, ...)        \
	{                               \
		name, start, true, ALL, \
		{                       \
			__VA_ARGS__     \
		}                       \
	}
#define READ(name, start, ...)             \
	{                                  \
		name, start, false, READS, \
		{                          \
			__VA_ARGS__        \
		}                          \
	}
#define DEMO(name, ...)                          \
	{                                        \
		name, START_DEMO, false, MEMORY, \
		{                                \
			__VA_ARGS__              \
		}                                \
	}

const struct scenario scenarios[] = {
	CHANGE("enable", START_PLAIN, "enable", "--no-verify", PF),
	CHANGE("enable-persist", START_PLAIN, "enable", "--no-verify", "--persist", PF),
	CHANGE("enable-held", START_HELD, "enable", "--no-verify", PF),
	CHANGE("enable-again", START_ENABLED, "enable", "--no-verify", PF),
	CHANGE("enable-after-kill", START_LATE, "enable", "--no-verify", PF),
	CHANGE("disable", START_ENABLED, "disable", PF),
	CHANGE("disable-elsewhere", START_ELSEWHERE, "disable", PF),
	CHANGE("disable-persist", START_KEPT, "disable", "--persist", PF),
	CHANGE("apply", START_PLAIN, "apply", "--no-verify", "vfs.json"),
	CHANGE("apply-same", START_PLAIN, "apply", "--no-verify", "same.json"),
	CHANGE("apply-fewer", START_PLAIN, "apply", "--no-verify", "fewer.json"),
	CHANGE("apply-more", START_NONE, "apply", "--no-verify", "more.json"),
	CHANGE("apply-persisted", START_DESCRIBED, "apply", "--no-verify"),
	CHANGE("repair-early", START_EARLY, "status", "--repair"),
	CHANGE("repair-late", START_LATE, "status", "--repair"),
	CHANGE("repair-done", START_DONE, "status", "--repair"),
	CHANGE("repair-count", START_COUNT, "status", "--repair"),

	READ("list", START_ENABLED, "list"),
	READ("show", START_ENABLED, "show", PF),
	READ("show-vfio", START_ENABLED, "show", "--view", "vfio", PF "/vf1"),
	READ("diff", START_ENABLED, "diff", PF "/vf0"),
	READ("map", START_ENABLED, "map", PF "/vf0"),
	READ("plan", START_PLAIN, "plan", PF),
	READ("doctor", START_ENABLED, "doctor"),
	READ("status", START_ENABLED, "status"),
	READ("status-elsewhere", START_ELSEWHERE, "status"),
	READ("verify-elsewhere", START_ELSEWHERE, "verify", PF "/vf0"),
	READ("status-killed", START_LATE, "status"),
	READ("capture", START_ENABLED, "capture", "-"),
	READ("dry-run", START_PLAIN, "enable", "--dry-run", PF),
	READ("dry-run-held", START_HELD, "enable", "--dry-run", PF),
	READ("check", START_PLAIN, "apply", "--check", "vfs.json"),
	READ("check-same", START_PLAIN, "apply", "--check", "same.json"),

	/* Not help: argp_help() of glibc asserts that there is memory for it. */
	DEMO("demo-list", "list"),
	DEMO("demo-list-all-json", "list", "--all", "--json"),
	DEMO("demo-show", "show", "0000:3b:00.0"),
	DEMO("demo-show-json", "show", "--json", "0000:3b:01.0"),
	DEMO("demo-show-vfio", "show", "--view", "vfio", "0000:3b:01.0"),
	DEMO("demo-diff", "diff", "0000:3b:01.0"),
	DEMO("demo-diff-json", "diff", "--json", "0000:3b:01.0"),
	DEMO("demo-map", "map", "0000:3b:01.0"),
	DEMO("demo-map-svg", "map", "--svg", "0000:3b:01.0"),
	DEMO("demo-plan", "plan"),
	DEMO("demo-plan-json", "plan", "--json", "0000:3b:00.0"),
	DEMO("demo-plan-qemu", "plan", "--as", "qemu", "0000:3b:01.0"),
	DEMO("demo-plan-libvirt", "plan", "--as", "libvirt", "0000:3b:01.0"),
	DEMO("demo-plan-commands", "plan", "--as", "commands", "0000:3b:00.0"),
	DEMO("demo-doctor", "doctor"),
	DEMO("demo-doctor-json", "doctor", "--json"),
	DEMO("demo-status", "status"),
	DEMO("demo-status-json", "status", "--json"),
	DEMO("demo-verify", "verify", "0000:3b:01.0"),
	DEMO("demo-monitor", "monitor", "--timeout", "1"),
	DEMO("demo-capture", "capture", "-"),
	DEMO("demo-dry-run", "enable", "--dry-run", "0000:3b:00.0"),
	DEMO("demo-dry-run-json", "enable", "--dry-run", "--json", "0000:3b:00.0"),
	DEMO("demo-disable", "disable", "--dry-run", "0000:3b:00.0"),
	DEMO("demo-check", "apply", "--check", "demo.json"),
	DEMO("demo-apply", "apply", "--dry-run", "--json", "demo.json"),
};

const size_t n_scenarios = ARRAY_LEN(scenarios);

#define PASID "\"placements\":[{\"name\":\"PASID\",\"rule\":\"auto\"}]"

const struct description descriptions[] = {
	{ "vfs.json", "{\"vfcap\":1,\"plan\":[{\"address\":\"" PF "/vf0-1\"," PASID "},\n"
		      "{\"address\":\"" PF "/vf2\",\"width\":8," PASID "}]}\n" },
	{ "same.json", "{\"vfcap\":1,\"pfs\":[{\"address\":\"" PF "\",\"numvfs\":3}]}\n" },
	{ "fewer.json", "{\"vfcap\":1,\"pfs\":[{\"address\":\"" PF "\",\"numvfs\":2}],\n"
			"\"plan\":[{\"address\":\"" PF "/vf1\"," PASID "}]}\n" },
	{ "more.json", "{\"vfcap\":1,\"pfs\":[{\"address\":\"" PF "\",\"numvfs\":3}],\n"
		       "\"plan\":[{\"address\":\"" PF "/vf0-1\"," PASID "}]}\n" },
	{ "demo.json", "{\"vfcap\":1,\"pfs\":[{\"address\":\"0000:3b:00.0\",\"numvfs\":8}],\n"
		       "\"plan\":[{\"address\":\"0000:3b:00.0/vf0-7\"," PASID "}]}\n" },
};

const size_t n_descriptions = ARRAY_LEN(descriptions);
