/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The registers of what a function has of its own: errors, virtualization, memory, power. */
#include "regs.h"

/* ------------------------------------------------------------- AER, Advanced Error Reporting -- */

#define AER_UNCORRECTABLE(access) { \
	FLAG("data_link_protocol", "DLP", 1u << 4, access), \
	FLAG("surprise_down", "SurpriseDown", 1u << 5, access), \
	FLAG("poisoned_tlp", "PoisonedTLP", 1u << 12, access), \
	FLAG("flow_control_protocol", "FCP", 1u << 13, access), \
	FLAG("completion_timeout", "CmpltTO", 1u << 14, access), \
	FLAG("completer_abort", "CmpltAbrt", 1u << 15, access), \
	FLAG("unexpected_completion", "UnxCmplt", 1u << 16, access), \
	FLAG("receiver_overflow", "RxOF", 1u << 17, access), \
	FLAG("malformed_tlp", "MalfTLP", 1u << 18, access), \
	FLAG("ecrc", "ECRC", 1u << 19, access), \
	FLAG("unsupported_request", "UnsupReq", 1u << 20, access), \
	FLAG("acs_violation", "ACSViol", 1u << 21, access), \
	FLAG("internal", "Internal", 1u << 22, access), \
	FLAG("multicast_blocked_tlp", "McastBlocked", 1u << 23, access), \
	FLAG("atomicop_egress_blocked", "AtomicBlocked", 1u << 24, access), \
	FLAG("tlp_prefix_blocked", "PrefixBlocked", 1u << 25, access), \
	FLAG("poisoned_tlp_egress_blocked", "PoisonBlocked", 1u << 26, access), \
	FLAG("dmwr_egress_blocked", "DMWrBlocked", 1u << 27, access), \
	FLAG("ide_check", "IDECheck", 1u << 28, access), \
	FLAG("misrouted_ide_tlp", "MisIDE", 1u << 29, access), \
	FLAG("pcrc_check", "PCRC", 1u << 30, access), \
	FLAG("tlp_translation_egress_blocked", "XlatBlocked", 1u << 31, access), \
}

#define AER_CORRECTABLE(access) { \
	FLAG("receiver", "RxErr", 1u << 0, access), \
	FLAG("bad_tlp", "BadTLP", 1u << 6, access), \
	FLAG("bad_dllp", "BadDLLP", 1u << 7, access), \
	FLAG("replay_num_rollover", "Rollover", 1u << 8, access), \
	FLAG("replay_timer_timeout", "ReplayTO", 1u << 12, access), \
	FLAG("advisory_non_fatal", "AdvNonFatal", 1u << 13, access), \
	FLAG("internal", "Internal", 1u << 14, access), \
	FLAG("header_log_overflow", "HdrLogOF", 1u << 15, access), \
}

static const struct vfcap_field aer_uncor_status[] = AER_UNCORRECTABLE(W1C);
static const struct vfcap_field aer_uncor[] = AER_UNCORRECTABLE(RW);
static const struct vfcap_field aer_cor_status[] = AER_CORRECTABLE(W1C);
static const struct vfcap_field aer_cor[] = AER_CORRECTABLE(RW);

static const struct vfcap_field aer_control[] = {
	DEC("first_error_pointer", "FirstErr", 0x1f, RO),
	FLAG("ecrc_generation_capable", "ECRCGenCap", 1u << 5, CONST),
	FLAG("ecrc_generation_enable", "ECRCGenEn", 1u << 6, RW),
	FLAG("ecrc_check_capable", "ECRCChkCap", 1u << 7, CONST),
	FLAG("ecrc_check_enable", "ECRCChkEn", 1u << 8, RW),
	FLAG("multiple_header_capable", "MultHdrCap", 1u << 9, CONST),
	FLAG("multiple_header_enable", "MultHdrEn", 1u << 10, RW),
	FLAG("tlp_prefix_log_present", "PfxLog", 1u << 11, RO),
	FLAG("completion_timeout_log_capable", "CTOLogCap", 1u << 12, CONST),
	FLAG("flit_mode_log", "FlitLog", 1u << 18, RO),
	DEC("logged_tlp_size", "LogSize", 0x1fu << 19, RO),
};

static const struct vfcap_field aer_root_command[] = {
	FLAG("correctable_reporting", "CERpt", 1u << 0, RW),
	FLAG("non_fatal_reporting", "NFERpt", 1u << 1, RW),
	FLAG("fatal_reporting", "FERpt", 1u << 2, RW),
};

static const struct vfcap_field aer_root_status[] = {
	FLAG("correctable_received", "CERcvd", 1u << 0, W1C),
	FLAG("multiple_correctable_received", "MultCERcvd", 1u << 1, W1C),
	FLAG("uncorrectable_received", "UERcvd", 1u << 2, W1C),
	FLAG("multiple_uncorrectable_received", "MultUERcvd", 1u << 3, W1C),
	FLAG("first_uncorrectable_fatal", "FirstFatal", 1u << 4, W1C),
	FLAG("non_fatal_messages_received", "NonFatalMsg", 1u << 5, W1C),
	FLAG("fatal_messages_received", "FatalMsg", 1u << 6, W1C),
	DEC("interrupt_message_number", "IntMsgNum", 0x1fu << 27, RO),
};

static const struct vfcap_reg aer[] = {
	REG("uncorrectable_status", "UESta", 0x04, 4, aer_uncor_status),
	REG("uncorrectable_mask", "UEMsk", 0x08, 4, aer_uncor),
	REG("uncorrectable_severity", "UESvrt", 0x0c, 4, aer_uncor),
	REG("correctable_status", "CESta", 0x10, 4, aer_cor_status),
	REG("correctable_mask", "CEMsk", 0x14, 4, aer_cor),
	REG("capabilities_control", "AERCap", 0x18, 4, aer_control),
	RAW("header_log_0", "HdrLog0", 0x1c, 4),
	RAW("header_log_1", "HdrLog1", 0x20, 4),
	RAW("header_log_2", "HdrLog2", 0x24, 4),
	RAW("header_log_3", "HdrLog3", 0x28, 4),
	REG("root_error_command", "RootCmd", 0x2c, 4, aer_root_command),
	REG("root_error_status", "RootSta", 0x30, 4, aer_root_status),
	RAW("correctable_source", "CESrc", 0x34, 2),
	RAW("uncorrectable_source", "UESrc", 0x36, 2),
};

/* TLP prefixes, or in Flit mode the rest of the header. */
static const struct vfcap_reg aer_prefix_log[] = {
	RAW("log", "PfxLog", 0x00, 4),
};

static const struct vfcap_regblock aer_blocks[] = {
	{ REGS(aer) },
	{ .key = "prefix_log", REGS(aer_prefix_log), .start = 0x38, .size = 4, .max = 8 },
};

/* ----------------------------------------------------------------- DSN, Device Serial Number -- */

static const struct vfcap_reg dsn[] = {
	RAW("serial_number", "Serial", 0x04, 8),
};

static const struct vfcap_regblock dsn_blocks[] = { { REGS(dsn) } };

/* ---------------------------------------------------------------------- PWR, Power Budgeting -- */

static const char *const pwr_scales[] = { "x1.0", "x0.1", "x0.01", "x0.001" };
static const char *const pwr_states[] = { "D0", "D1", "D2", "D3" };
static const char *const pwr_types[] = {
	"PME aux", "auxiliary", "idle", "sustained",
	"sustained, emergency reduction", "maximum, emergency reduction", NULL, "maximum",
};
static const char *const pwr_rails[] = {
	"12V", "3.3V", "1.5V or 1.8V", NULL, NULL, NULL, NULL, "thermal",
};

static const struct vfcap_field pwr_data[] = {
	DEC("base_power", "Base", 0xff, RO),
	ENUM("scale", "Scale", 0x3 << 8, RO, pwr_scales),
	DEC("pm_substate", "SubState", 0x7 << 10, RO),
	ENUM("pm_state", "State", 0x3 << 13, RO, pwr_states),
	ENUM("type", "Type", 0x7 << 15, RO, pwr_types),
	ENUM("rail", "Rail", 0x7 << 18, RO, pwr_rails),
};

static const struct vfcap_field pwr_capability[] = {
	FLAG("system_allocated", "SysAlloc", 1u << 0, CONST),
};

static const struct vfcap_reg pwr[] = {
	RAW("data_select", "Select", 0x04, 1),
	REG("data", "Data", 0x08, 4, pwr_data),
	REG("capability", "Cap", 0x0c, 1, pwr_capability),
};

static const struct vfcap_regblock pwr_blocks[] = { { REGS(pwr) } };

/* --------------------------------------------------------- RCRB, Root Complex Register Block -- */

static const struct vfcap_field rcrb_capabilities[] = {
	FLAG("crs_visibility", "CRSVisible", 1u << 0, CONST),
};

static const struct vfcap_field rcrb_control[] = {
	FLAG("crs_visibility_enable", "CRSVisible", 1u << 0, RW),
};

static const struct vfcap_reg rcrb[] = {
	RAW("vendor_id", "Vendor", 0x04, 2),
	RAW("device_id", "Device", 0x06, 2),
	REG("capabilities", "Cap", 0x08, 4, rcrb_capabilities),
	REG("control", "Ctl", 0x0c, 4, rcrb_control),
};

static const struct vfcap_regblock rcrb_blocks[] = { { REGS(rcrb) } };

/* -------------------------------------------------------------- ACS, Access Control Services -- */

static const char *const acs_targets[] = { "direct", "blocked", "redirected" };

#define ACS_SERVICES(access) \
	FLAG("source_validation", "SrcValid", 1u << 0, access), \
	FLAG("translation_blocking", "TransBlk", 1u << 1, access), \
	FLAG("p2p_request_redirect", "ReqRedir", 1u << 2, access), \
	FLAG("p2p_completion_redirect", "CmpltRedir", 1u << 3, access), \
	FLAG("upstream_forwarding", "UpstreamFwd", 1u << 4, access), \
	FLAG("p2p_egress_control", "EgressCtrl", 1u << 5, access), \
	FLAG("direct_translated_p2p", "DirectTrans", 1u << 6, access)

static const struct vfcap_field acs_capability[] = {
	ACS_SERVICES(CONST),
	FLAG("enhanced", "Enhanced", 1u << 7, CONST),
	DEC("egress_vector_size", "EgressSize", 0xff << 8, CONST),
};

static const struct vfcap_field acs_control[] = {
	ACS_SERVICES(RW),
	FLAG("io_request_blocking", "IOReqBlk", 1u << 7, RW),
	ENUM("downstream_memory_target", "DSPMem", 0x3 << 8, RW, acs_targets),
	ENUM("upstream_memory_target", "USPMem", 0x3 << 10, RW, acs_targets),
	FLAG("unclaimed_request_redirect", "UnclaimedRedir", 1u << 12, RW),
};

static const struct vfcap_reg acs[] = {
	REG("capability", "ACSCap", 0x04, 2, acs_capability),
	REG("control", "ACSCtl", 0x06, 2, acs_control),
};

static const struct vfcap_reg acs_egress[] = {
	RAW("vector", "Egress", 0x00, 4),
};

static const struct vfcap_regblock acs_blocks[] = {
	{ REGS(acs) },
	{ .key = "egress", REGS(acs_egress), .start = 0x08, .size = 4, .max = 8 },
};

/* ------------------------------------------------------------------------------- ARI and ATS -- */

static const struct vfcap_field ari_capability[] = {
	FLAG("mfvc_function_groups", "MFVC", 1u << 0, CONST),
	FLAG("acs_function_groups", "ACS", 1u << 1, CONST),
	DEC("next_function", "NextFn", 0xff << 8, CONST),
};

static const struct vfcap_field ari_control[] = {
	FLAG("mfvc_function_groups_enable", "MFVC", 1u << 0, RW),
	FLAG("acs_function_groups_enable", "ACS", 1u << 1, RW),
	DEC("function_group", "FnGroup", 0x7 << 4, RW),
};

static const struct vfcap_reg ari[] = {
	REG("capability", "ARICap", 0x04, 2, ari_capability),
	REG("control", "ARICtl", 0x06, 2, ari_control),
};

static const struct vfcap_regblock ari_blocks[] = { { REGS(ari) } };

static const struct vfcap_field ats_capability[] = {
	DEC("invalidate_queue_depth", "QDepth", 0x1f, CONST),
	FLAG("page_aligned_request", "PageAligned", 1u << 5, CONST),
	FLAG("global_invalidate", "GlobalInval", 1u << 6, CONST),
	FLAG("relaxed_ordering", "RelaxedOrd", 1u << 7, CONST),
};

static const struct vfcap_field ats_control[] = {
	DEC("smallest_translation_unit", "STU", 0x1f, RW),
	FLAG("enable", "Enable", VFCAP_ATS_CTRL_ENABLE, RW),
};

static const struct vfcap_reg ats[] = {
	REG("capability", "ATSCap", 0x04, 2, ats_capability),
	REG("control", "ATSCtl", VFCAP_ATS_CTRL, 2, ats_control),
};

static const struct vfcap_regblock ats_blocks[] = { { REGS(ats) } };

/* ---------------------------------------------------- SR-IOV, Single Root I/O Virtualization -- */

static const struct vfcap_field sriov_capabilities[] = {
	FLAG("vf_migration", "Migration", 1u << 0, CONST),
	FLAG("ari_hierarchy_preserved", "ARIPreserved", 1u << 1, CONST),
	FLAG("vf_10bit_tag_requester", "10BitTagReq", 1u << 2, CONST),
	DEC("migration_interrupt", "IntMsgNum", 0x7ffu << 21, RO),
};

static const struct vfcap_field sriov_control[] = {
	FLAG("vf_enable", "Enable", VFCAP_SRIOV_CTRL_VFE, RW),
	FLAG("vf_migration_enable", "Migration", 1u << 1, RW),
	FLAG("vf_migration_interrupt_enable", "Interrupt", 1u << 2, RW),
	FLAG("vf_memory_space_enable", "MSE", 1u << 3, RW),
	FLAG("ari_capable_hierarchy", "ARIHierarchy", 1u << 4, RW),
	FLAG("vf_10bit_tag_requester_enable", "10BitTagReq", 1u << 5, RW),
};

static const struct vfcap_field sriov_status[] = {
	FLAG("vf_migration", "Migration", 1u << 0, W1C),
};

static const struct vfcap_field sriov_count[] = { DEC("count", "VFs", 0xffff, CONST) };
static const struct vfcap_field sriov_numvfs[] = { DEC("count", "VFs", 0xffff, RW) };
static const struct vfcap_field sriov_distance[] = { DEC("routing_ids", "RIDs", 0xffff, CONST) };

static const struct vfcap_field sriov_migration_array[] = {
	DEC("bar", "BIR", 0x7, CONST),
	HEX("offset", "Offset", ~0x7u, CONST),
};

static const struct vfcap_reg sriov[] = {
	REG("capabilities", "IOVCap", 0x04, 4, sriov_capabilities),
	REG("control", "IOVCtl", VFCAP_SRIOV_CTRL, 2, sriov_control),
	REG("status", "IOVSta", 0x0a, 2, sriov_status),
	REG("initial_vfs", "InitialVFs", 0x0c, 2, sriov_count),
	REG("total_vfs", "TotalVFs", VFCAP_SRIOV_TOTALVFS, 2, sriov_count),
	REG("num_vfs", "NumVFs", VFCAP_SRIOV_NUMVFS, 2, sriov_numvfs),
	RAW("function_dependency_link", "FnDepLink", 0x12, 1),
	REG("first_vf_offset", "VFOffset", VFCAP_SRIOV_OFFSET, 2, sriov_distance),
	REG("vf_stride", "VFStride", VFCAP_SRIOV_STRIDE, 2, sriov_distance),
	RAW("vf_device_id", "VFDeviceID", VFCAP_SRIOV_VF_DEVICE, 2),
	RAW("supported_page_sizes", "SupPageSizes", 0x1c, 4),
	RAW("system_page_size", "SysPageSize", 0x20, 4),
	RAW("vf_bar_0", "VFBAR0", 0x24, 4),
	RAW("vf_bar_1", "VFBAR1", 0x28, 4),
	RAW("vf_bar_2", "VFBAR2", 0x2c, 4),
	RAW("vf_bar_3", "VFBAR3", 0x30, 4),
	RAW("vf_bar_4", "VFBAR4", 0x34, 4),
	RAW("vf_bar_5", "VFBAR5", 0x38, 4),
	REG("migration_state_array", "Migration", 0x3c, 4, sriov_migration_array),
};

static const struct vfcap_regblock sriov_blocks[] = { { REGS(sriov) } };

/* -------------------------------------------------------------------------- MCAST, Multicast -- */

static const struct vfcap_field mcast_capability[] = {
	DEC("max_group", "MaxGroup", 0x3f, CONST),
	DEC("window_size_requested", "WindowSize", 0x3f << 8, CONST),
	FLAG("ecrc_regeneration", "ECRCRegen", 1u << 15, CONST),
};

static const struct vfcap_field mcast_control[] = {
	DEC("num_group", "NumGroup", 0x3f, RW),
	FLAG("enable", "Enable", 1u << 15, RW),
};

static const struct vfcap_reg mcast[] = {
	REG("capability", "McastCap", 0x04, 2, mcast_capability),
	REG("control", "McastCtl", 0x06, 2, mcast_control),
	RAW("base_address", "McastBAR", 0x08, 8),
	RAW("receive", "McastRcv", 0x10, 8),
	RAW("block_all", "McastBlkAll", 0x18, 8),
	RAW("block_untranslated", "McastBlkUntrans", 0x20, 8),
	RAW("overlay_bar", "McastOverlay", 0x28, 8),
};

static const struct vfcap_regblock mcast_blocks[] = { { REGS(mcast) } };

/* --------------------------------------------------------- REBAR and VF_REBAR, Resizable BAR -- */

static const char *const rebar_sizes[] = {
	"1MB", "2MB", "4MB", "8MB", "16MB", "32MB", "64MB", "128MB", "256MB", "512MB",
	"1GB", "2GB", "4GB", "8GB", "16GB", "32GB", "64GB", "128GB", "256GB", "512GB",
	"1TB", "2TB", "4TB", "8TB", "16TB", "32TB", "64TB", "128TB", "256TB", "512TB",
	"1PB", "2PB", "4PB", "8PB", "16PB", "32PB", "64PB", "128PB", "256PB", "512PB",
	"1EB", "2EB", "4EB", "8EB",
};

static const struct vfcap_field rebar_capability[] = {
	HEX("supported_sizes", "Sizes", ~0xfu, CONST), /* bit 0 of the field: 1 MB */
};

static const struct vfcap_field rebar_control[] = {
	DEC("bar", "BAR", 0x7, CONST),
	DEC("bars", "BARs", 0x7 << 5, CONST), /* in the first entry only */
	ENUM("size", "Size", 0x3f << 8, RW, rebar_sizes),
	HEX("supported_sizes_above_128tb", "LargeSizes", 0xffffu << 16, CONST),
};

static const struct vfcap_reg rebar[] = {
	REG("capability", "Cap", 0x00, 4, rebar_capability),
	REG("control", "Ctl", 0x04, 4, rebar_control),
};

static const struct vfcap_regblock rebar_blocks[] = {
	{ .key = "bar", REGS(rebar), .start = 0x04, .size = 8, .max = 6,
	  .at = 0x08, .mask = 0xe0 },
};

/* ------------------------------------------------------------- DPA, Dynamic Power Allocation -- */

static const char *const dpa_units[] = { "1ms", "10ms", "100ms" };
static const char *const dpa_scales[] = { "x10.0", "x1.0", "x0.1", "x0.01" };

static const struct vfcap_field dpa_capability[] = {
	DEC("substate_max", "MaxSubstate", 0x1f, CONST),
	ENUM("latency_unit", "LatencyUnit", 0x3 << 8, CONST, dpa_units),
	ENUM("power_scale", "PowerScale", 0x3 << 12, CONST, dpa_scales),
	DEC("latency_0", "Latency0", 0xff << 16, CONST),
	DEC("latency_1", "Latency1", 0xffu << 24, CONST),
};

static const struct vfcap_field dpa_status[] = {
	DEC("substate", "Substate", 0x1f, RO),
	FLAG("control_enabled", "Enabled", 1u << 8, W1C),
};

static const struct vfcap_field dpa_control[] = {
	DEC("substate", "Substate", 0x1f, RW),
};

static const struct vfcap_reg dpa[] = {
	REG("capability", "DPACap", 0x04, 4, dpa_capability),
	RAW("latency_indicator", "Latency", 0x08, 4),
	REG("status", "DPASta", 0x0c, 2, dpa_status),
	REG("control", "DPACtl", 0x0e, 2, dpa_control),
};

static const struct vfcap_reg dpa_substate[] = {
	RAW("power_allocation", "Power", 0x00, 1),
};

static const struct vfcap_regblock dpa_blocks[] = {
	{ REGS(dpa) },
	{ .key = "substate", REGS(dpa_substate), .start = 0x10, .size = 1, .max = 32,
	  .at = 0x04, .mask = 0x1f, .plus = 1 },
};

/* ------------------------------------------------------- TPH, TLP Processing Hints Requester -- */

static const char *const tph_locations[] = { "none", "capability", "MSI-X" };
static const char *const tph_modes[] = { "none", "interrupt vector", "device specific" };
static const char *const tph_requesters[] = { "disabled", "TPH", NULL, "extended TPH" };

static const struct vfcap_field tph_capability[] = {
	FLAG("no_st_mode", "NoST", 1u << 0, CONST),
	FLAG("interrupt_vector_mode", "IntVec", 1u << 1, CONST),
	FLAG("device_specific_mode", "DevSpec", 1u << 2, CONST),
	FLAG("extended_requester", "ExtReq", 1u << 8, CONST),
	ENUM("st_table_location", "Table", 0x3 << 9, CONST, tph_locations),
	DEC("st_table_size", "Size", 0x7ff << 16, CONST),
};

static const struct vfcap_field tph_control[] = {
	ENUM("mode", "Mode", 0x7, RW, tph_modes),
	ENUM("requester_enable", "Requester", 0x3 << 8, RW, tph_requesters),
};

static const struct vfcap_reg tph[] = {
	REG("capability", "TPHCap", 0x04, 4, tph_capability),
	REG("control", "TPHCtl", 0x08, 4, tph_control),
};

static const struct vfcap_field tph_st_entry[] = {
	HEX("lower", "Lower", 0xff, RW),
	HEX("upper", "Upper", 0xff << 8, RW),
};

static const struct vfcap_reg tph_st[] = {
	REG("entry", "ST", 0x00, 2, tph_st_entry),
};

static const struct vfcap_regblock tph_blocks[] = {
	{ REGS(tph) },
	{ .key = "st", REGS(tph_st), .start = 0x0c, .size = 2, .max = 2048,
	  .at = 0x04, .mask = 0x7ff << 16, .plus = 1, .when_mask = 0x3 << 9, .when = 0x1 << 9 },
};

/* ------------------------------------------------------------------------------ PMUX and LNR -- */

static const struct vfcap_reg pmux[] = {
	RAW("capability", "PMUXCap", 0x04, 4),
	RAW("control", "PMUXCtl", 0x08, 4),
	RAW("status", "PMUXSta", 0x0c, 4),
};

static const struct vfcap_regblock pmux_blocks[] = { { REGS(pmux) } };

static const struct vfcap_field lnr_capability[] = {
	FLAG("lnr_64", "LNR64", 1u << 0, CONST),
	FLAG("lnr_128", "LNR128", 1u << 1, CONST),
	DEC("registration_max", "RegMax", 0x1f << 8, CONST),
};

static const struct vfcap_field lnr_control[] = {
	FLAG("enable", "Enable", 1u << 0, RW),
	FLAG("cacheline_128", "CLS128", 1u << 1, RW),
	DEC("registration_limit", "RegLimit", 0x1f << 8, RW),
};

static const struct vfcap_reg lnr[] = {
	REG("capability", "LNRCap", 0x04, 2, lnr_capability),
	REG("control", "LNRCtl", 0x06, 2, lnr_control),
};

static const struct vfcap_regblock lnr_blocks[] = { { REGS(lnr) } };

/* ---------------------------------------------------------- DPC, Downstream Port Containment -- */

static const char *const dpc_triggers[] = { "off", "ERR_FATAL", "ERR_NONFATAL or ERR_FATAL" };
static const char *const dpc_reasons[] = {
	"unmasked uncorrectable error", "ERR_NONFATAL", "ERR_FATAL", "see extension",
};
static const char *const dpc_extensions[] = { "RP PIO error", "software trigger" };

static const struct vfcap_field dpc_capability[] = {
	DEC("interrupt_message_number", "IntMsgNum", 0x1f, RO),
	FLAG("root_port_extensions", "RPExt", 1u << 5, CONST),
	FLAG("poisoned_tlp_egress_blocking", "PoisonedTLP", 1u << 6, CONST),
	FLAG("software_trigger", "SwTrigger", 1u << 7, CONST),
	DEC("rp_pio_log_size", "PIOLogSize", 0xf << 8, CONST),
	FLAG("dl_active_signaling", "DLActive", 1u << 12, CONST),
};

static const struct vfcap_field dpc_control[] = {
	ENUM("trigger_enable", "Trigger", 0x3, RW, dpc_triggers),
	FLAG("completion_control", "Cmplt", 1u << 2, RW),
	FLAG("interrupt_enable", "Int", 1u << 3, RW),
	FLAG("err_cor_enable", "ErrCor", 1u << 4, RW),
	FLAG("poisoned_tlp_egress_blocking_enable", "PoisonedTLP", 1u << 5, RW),
	FLAG("software_trigger", "SwTrigger", 1u << 6, ACTION),
	FLAG("dl_active_enable", "DLActive", 1u << 7, RW),
};

static const struct vfcap_field dpc_status[] = {
	FLAG("triggered", "Triggered", 1u << 0, W1C),
	ENUM("reason", "Reason", 0x3 << 1, RO, dpc_reasons),
	FLAG("interrupt", "Int", 1u << 3, W1C),
	FLAG("root_port_busy", "RPBusy", 1u << 4, RO),
	ENUM("reason_extension", "ReasonExt", 0x3 << 5, RO, dpc_extensions),
	DEC("rp_pio_first_error", "PIOFirstErr", 0x1f << 8, RO),
};

#define DPC_PIO(access) { \
	FLAG("config_ur", "CfgUR", 1u << 0, access), \
	FLAG("config_ca", "CfgCA", 1u << 1, access), \
	FLAG("config_cto", "CfgCTO", 1u << 2, access), \
	FLAG("io_ur", "IOUR", 1u << 8, access), \
	FLAG("io_ca", "IOCA", 1u << 9, access), \
	FLAG("io_cto", "IOCTO", 1u << 10, access), \
	FLAG("memory_ur", "MemUR", 1u << 16, access), \
	FLAG("memory_ca", "MemCA", 1u << 17, access), \
	FLAG("memory_cto", "MemCTO", 1u << 18, access), \
}

static const struct vfcap_field dpc_pio_status[] = DPC_PIO(W1C);
static const struct vfcap_field dpc_pio[] = DPC_PIO(RW);

static const struct vfcap_reg dpc[] = {
	REG("capability", "DpcCap", 0x04, 2, dpc_capability),
	REG("control", "DpcCtl", 0x06, 2, dpc_control),
	REG("status", "DpcSta", 0x08, 2, dpc_status),
	RAW("source_id", "Source", 0x0a, 2),
	REG("rp_pio_status", "PIOSta", 0x0c, 4, dpc_pio_status),
	REG("rp_pio_mask", "PIOMsk", 0x10, 4, dpc_pio),
	REG("rp_pio_severity", "PIOSvrt", 0x14, 4, dpc_pio),
	REG("rp_pio_syserror", "PIOSysErr", 0x18, 4, dpc_pio),
	REG("rp_pio_exception", "PIOExc", 0x1c, 4, dpc_pio),
	RAW("rp_pio_header_log_0", "PIOHdrLog0", 0x20, 4),
	RAW("rp_pio_header_log_1", "PIOHdrLog1", 0x24, 4),
	RAW("rp_pio_header_log_2", "PIOHdrLog2", 0x28, 4),
	RAW("rp_pio_header_log_3", "PIOHdrLog3", 0x2c, 4),
	RAW("rp_pio_impspec_log", "PIOImpLog", 0x30, 4),
};

static const struct vfcap_reg dpc_prefix_log[] = {
	RAW("log", "PIOPfxLog", 0x00, 4),
};

static const struct vfcap_regblock dpc_blocks[] = {
	{ REGS(dpc) },
	{ .key = "rp_pio_prefix_log", REGS(dpc_prefix_log), .start = 0x34, .size = 4, .max = 4 },
};

/* -------------------------------------------------------------------------- HIER_ID and NPEM -- */

static const struct vfcap_reg hier_id[] = {
	RAW("status", "HierSta", 0x04, 4),
	RAW("data", "HierData", 0x08, 4),
	RAW("guid_1", "GUID1", 0x0c, 4),
	RAW("guid_2", "GUID2", 0x10, 4),
	RAW("guid_3", "GUID3", 0x14, 4),
	RAW("guid_4", "GUID4", 0x18, 4),
	RAW("guid_5", "GUID5", 0x1c, 4),
};

static const struct vfcap_regblock hier_id_blocks[] = { { REGS(hier_id) } };

#define NPEM_INDICATIONS(access) \
	FLAG("ok", "OK", 1u << 2, access), \
	FLAG("locate", "Locate", 1u << 3, access), \
	FLAG("fail", "Fail", 1u << 4, access), \
	FLAG("rebuild", "Rebuild", 1u << 5, access), \
	FLAG("predicted_failure", "PFA", 1u << 6, access), \
	FLAG("hot_spare", "HotSpare", 1u << 7, access), \
	FLAG("in_critical_array", "CritArray", 1u << 8, access), \
	FLAG("in_failed_array", "FailedArray", 1u << 9, access), \
	FLAG("invalid_device_type", "InvalidType", 1u << 10, access), \
	FLAG("disabled", "Disabled", 1u << 11, access), \
	HEX("enclosure_specific", "Enclosure", 0xffu << 24, access)

static const struct vfcap_field npem_capability[] = {
	FLAG("npem", "NPEM", 1u << 0, CONST),
	FLAG("reset", "Reset", 1u << 1, CONST),
	NPEM_INDICATIONS(CONST),
};

static const struct vfcap_field npem_control[] = {
	FLAG("enable", "Enable", 1u << 0, RW),
	FLAG("initiate_reset", "Reset", 1u << 1, ACTION),
	NPEM_INDICATIONS(RW),
};

static const struct vfcap_field npem_status[] = {
	FLAG("command_completed", "Completed", 1u << 0, W1C),
	HEX("enclosure_specific", "Enclosure", 0xffu << 24, RO),
};

static const struct vfcap_reg npem[] = {
	REG("capability", "NPEMCap", 0x04, 4, npem_capability),
	REG("control", "NPEMCtl", 0x08, 4, npem_control),
	REG("status", "NPEMSta", 0x0c, 4, npem_status),
};

static const struct vfcap_regblock npem_blocks[] = { { REGS(npem) } };

/* ----------------------------------------------------------------- DOE, Data Object Exchange -- */

static const struct vfcap_field doe_capabilities[] = {
	FLAG("interrupt_support", "IntSup", 1u << 0, CONST),
	DEC("interrupt_message_number", "IntMsgNum", 0x7ff << 1, RO),
};

static const struct vfcap_field doe_control[] = {
	FLAG("abort", "Abort", 1u << 0, ACTION),
	FLAG("interrupt_enable", "IntEn", 1u << 1, RW),
	FLAG("go", "Go", 1u << 31, ACTION),
};

static const struct vfcap_field doe_status[] = {
	FLAG("busy", "Busy", 1u << 0, RO),
	FLAG("interrupt", "IntSta", 1u << 1, W1C),
	FLAG("error", "Error", 1u << 2, RO),
	FLAG("object_ready", "ObjectReady", 1u << 31, RO),
};

/* The mailboxes at 0x10 and 0x14 are left out: reading one may move the device's data on. */
static const struct vfcap_reg doe[] = {
	REG("capabilities", "DOECap", 0x04, 4, doe_capabilities),
	REG("control", "DOECtl", 0x08, 4, doe_control),
	REG("status", "DOESta", 0x0c, 4, doe_status),
};

static const struct vfcap_regblock doe_blocks[] = { { REGS(doe) } };

/* -------------------------------------------------------- IDE, Integrity and Data Encryption -- */

static const char *const ide_algorithms[] = { "AES-GCM-256-96b" };
static const char *const ide_aggregations[] = { "none", "2", "4", "8" };
static const char *const ide_header_modes[] = { "none", "17:2", "25:2", "33:2", "41:2" };
static const char *const ide_states[] = { "insecure", NULL, "secure" };

static const struct vfcap_field ide_capability[] = {
	FLAG("link_streams", "Link", 1u << 0, CONST),
	FLAG("selective_streams", "Selective", 1u << 1, CONST),
	FLAG("flow_through", "FlowThru", 1u << 2, CONST),
	FLAG("partial_header_encryption", "PartHdr", 1u << 3, CONST),
	FLAG("aggregation", "Aggr", 1u << 4, CONST),
	FLAG("pcrc", "PCRC", 1u << 5, CONST),
	FLAG("ide_km", "IDE_KM", 1u << 6, CONST),
	FLAG("selective_config_requests", "SelCfg", 1u << 7, CONST),
	ENUM("algorithm", "Alg", 0x1f << 8, CONST, ide_algorithms),
	DEC("link_tcs_minus_1", "TCs-1", 0x7 << 13, CONST),
	DEC("selective_streams_minus_1", "Streams-1", 0xff << 16, CONST),
	FLAG("tee_limited", "TeeLim", 1u << 24, CONST),
	FLAG("xt", "XT", 1u << 25, CONST),
};

static const struct vfcap_field ide_control[] = {
	FLAG("flow_through_enable", "FlowThru", 1u << 2, RW),
};

#define IDE_STREAM_LOW \
	FLAG("enable", "En", 1u << 0, RW), \
	FLAG("xt_enable", "XT", 1u << 1, RW), \
	ENUM("aggregation_nonposted", "NPR", 0x3 << 2, RW, ide_aggregations), \
	ENUM("aggregation_posted", "PR", 0x3 << 4, RW, ide_aggregations), \
	ENUM("aggregation_completion", "CPL", 0x3 << 6, RW, ide_aggregations), \
	FLAG("pcrc_enable", "PCRC", 1u << 8, RW)

#define IDE_STREAM_HIGH \
	ENUM("header_encryption", "HdrEnc", 0xf << 10, RW, ide_header_modes), \
	ENUM("algorithm", "Alg", 0x1f << 14, RW, ide_algorithms), \
	DEC("tc", "TC", 0x7 << 19, RW)

static const struct vfcap_field ide_link_control[] = {
	IDE_STREAM_LOW,
	IDE_STREAM_HIGH,
	DEC("stream_id", "ID", 0xffu << 24, RW),
};

static const struct vfcap_field ide_selective_control[] = {
	IDE_STREAM_LOW,
	FLAG("config_requests_enable", "Cfg", 1u << 9, RW),
	IDE_STREAM_HIGH,
	FLAG("default_stream", "Default", 1u << 22, RW),
	FLAG("tee_limited", "TeeLim", 1u << 23, RW),
	DEC("stream_id", "ID", 0xffu << 24, RW),
};

static const struct vfcap_field ide_stream_status[] = {
	ENUM("state", "State", 0xf, RO, ide_states),
	FLAG("integrity_check_fail_received", "RecvChkFail", 1u << 31, W1C),
};

static const struct vfcap_field ide_selective_capability[] = {
	DEC("address_blocks", "AddrBlocks", 0xf, CONST),
};

static const struct vfcap_field ide_rid_1[] = {
	HEX("limit", "Limit", 0xffff << 8, RW),
};

static const struct vfcap_field ide_rid_2[] = {
	FLAG("valid", "Valid", 1u << 0, RW),
	HEX("base", "Base", 0xffff << 8, RW),
	HEX("segment_base", "SegBase", 0xffu << 24, RW),
};

static const struct vfcap_field ide_address_1[] = {
	FLAG("valid", "Valid", 1u << 0, RW),
	HEX("base_low", "Base", 0xfff << 8, RW),
	HEX("limit_low", "Limit", 0xfffu << 20, RW),
};

static const struct vfcap_reg ide[] = {
	REG("capability", "IDECap", 0x04, 4, ide_capability),
	REG("control", "IDECtl", 0x08, 4, ide_control),
};

static const struct vfcap_reg ide_link_stream[] = {
	REG("control", "Ctl", 0x00, 4, ide_link_control),
	REG("status", "Sta", 0x04, 4, ide_stream_status),
};

#define IDE_SELECTIVE_SIZE 0x14
#define IDE_ADDRESS_SIZE 0x0c
#define IDE_ADDRESS(n) \
	REG("address_" #n, "Addr" #n, \
	    IDE_SELECTIVE_SIZE + n * IDE_ADDRESS_SIZE, 4, ide_address_1), \
	RAW("address_" #n "_limit_high", "LimitHi" #n, \
	    IDE_SELECTIVE_SIZE + n * IDE_ADDRESS_SIZE + 4, 4), \
	RAW("address_" #n "_base_high", "BaseHi" #n, \
	    IDE_SELECTIVE_SIZE + n * IDE_ADDRESS_SIZE + 8, 4)

/* A stream has as many of the addresses as its capability register says; they make it longer. */
static const struct vfcap_reg ide_selective_stream[] = {
	REG("capability", "Cap", 0x00, 4, ide_selective_capability),
	REG("control", "Ctl", 0x04, 4, ide_selective_control),
	REG("status", "Sta", 0x08, 4, ide_stream_status),
	REG("rid_1", "RID1", 0x0c, 4, ide_rid_1),
	REG("rid_2", "RID2", 0x10, 4, ide_rid_2),
	IDE_ADDRESS(0), IDE_ADDRESS(1), IDE_ADDRESS(2), IDE_ADDRESS(3), IDE_ADDRESS(4),
	IDE_ADDRESS(5), IDE_ADDRESS(6), IDE_ADDRESS(7), IDE_ADDRESS(8), IDE_ADDRESS(9),
	IDE_ADDRESS(10), IDE_ADDRESS(11), IDE_ADDRESS(12), IDE_ADDRESS(13), IDE_ADDRESS(14),
};

static const struct vfcap_regblock ide_blocks[] = {
	{ REGS(ide) },
	{ .key = "link_stream", REGS(ide_link_stream), .start = 0x0c, .size = 8, .max = 8,
	  .at = 0x04, .mask = 0xe000, .plus = 1, .when_mask = 0x1, .when = 0x1 },
	{ .key = "selective_stream", REGS(ide_selective_stream), .size = IDE_SELECTIVE_SIZE,
	  .max = 256, .at = 0x04, .mask = 0xff0000, .plus = 1, .when_mask = 0x2, .when = 0x2,
	  .grow_mask = 0xf, .grow_by = IDE_ADDRESS_SIZE },
};

/* ----------------------------------------------------- MMIO_RBL, MMIO Register Block Locator -- */

static const char *const mrbl_registers[] = { "none", "MCAP" };

static const struct vfcap_field mrbl_capabilities[] = {
	DEC("length", "Len", 0xfff, CONST),
};

static const struct vfcap_field mrbl_locator_low[] = {
	DEC("bar", "BIR", 0x7, CONST),
	ENUM("registers", "ID", 0xff << 8, CONST, mrbl_registers),
	HEX("offset_low", "Offset", 0xffffu << 16, CONST),
};

static const struct vfcap_reg mrbl[] = {
	REG("capabilities", "MRBLCap", 0x04, 4, mrbl_capabilities),
};

static const struct vfcap_reg mrbl_locator[] = {
	REG("low", "Low", 0x00, 4, mrbl_locator_low),
	RAW("offset_high", "OffsetHi", 0x04, 4),
};

static const struct vfcap_regblock mrbl_blocks[] = {
	{ REGS(mrbl) },
	{ .key = "locator", REGS(mrbl_locator), .start = 0x08, .size = 8, .max = 511 },
};

/* ----------------------------------------------------------------------------- PASID and PRI -- */

static const struct vfcap_regblock pasid_blocks[] = { { .arg = VFCAP_EMUL_PASID } };
static const struct vfcap_regblock pri_blocks[] = { { .arg = VFCAP_EMUL_PRI } };

/* ------------------------------------------------------------------------------- all of them -- */

const struct vfcap_regcap vfcap_regs_function[VFCAP_ID_MAX + 1] = {
	[VFCAP_ID_AER] = BLOCKS(aer_blocks),
	[0x03] = BLOCKS(dsn_blocks),
	[0x04] = BLOCKS(pwr_blocks),
	[0x0a] = BLOCKS(rcrb_blocks),
	[0x0d] = BLOCKS(acs_blocks),
	[0x0e] = BLOCKS(ari_blocks),
	[VFCAP_ID_ATS] = BLOCKS(ats_blocks),
	[VFCAP_ID_SRIOV] = BLOCKS(sriov_blocks),
	[0x12] = BLOCKS(mcast_blocks),
	[VFCAP_ID_PRI] = BLOCKS(pri_blocks),
	[0x15] = BLOCKS(rebar_blocks),
	[0x16] = BLOCKS(dpa_blocks),
	[0x17] = BLOCKS(tph_blocks),
	[0x1a] = BLOCKS(pmux_blocks),
	[VFCAP_ID_PASID] = BLOCKS(pasid_blocks),
	[0x1c] = BLOCKS(lnr_blocks),
	[0x1d] = BLOCKS(dpc_blocks),
	[0x24] = BLOCKS(rebar_blocks),
	[0x28] = BLOCKS(hier_id_blocks),
	[0x29] = BLOCKS(npem_blocks),
	[VFCAP_ID_DOE] = BLOCKS(doe_blocks),
	[0x30] = BLOCKS(ide_blocks),
	[0x36] = BLOCKS(mrbl_blocks),
};
