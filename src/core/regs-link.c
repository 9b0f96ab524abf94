/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The registers of what belongs to a link or port: virtual channels, lanes, latencies, Flits. */
#include "regs.h"

/* The most lanes a link of a lane table can have (Spec 7.7.3.4). */
#define LANES_MAX 32

/* -------------------------------------------------------- VC, VC9 and MFVC, Virtual Channels -- */

static const char *const vc_clocks[] = { "100ns" };
static const char *const vc_entry_sizes[] = { "1 bit", "2 bits", "4 bits", "8 bits" };
static const char *const vc_arbiters[] = { "fixed", "WRR32", "WRR64", "WRR128" };
static const char *const vc_port_arbiters[] = {
	"fixed", "WRR32", "WRR64", "WRR128", "TWRR128", "WRR256",
};

static const struct vfcap_field vc_capability1[] = {
	DEC("extended_vc_count", "EVC", 0x7, CONST),
	DEC("low_priority_extended_vc_count", "LPEVC", 0x7 << 4, CONST),
	ENUM("reference_clock", "RefClk", 0x3 << 8, CONST, vc_clocks),
	ENUM("arbitration_entry_size", "PATEntry", 0x3 << 10, CONST, vc_entry_sizes),
};

static const struct vfcap_field vc_capability2[] = {
	FLAG("fixed", "Fixed", 1u << 0, CONST),
	FLAG("wrr32", "WRR32", 1u << 1, CONST),
	FLAG("wrr64", "WRR64", 1u << 2, CONST),
	FLAG("wrr128", "WRR128", 1u << 3, CONST),
	HEX("arbitration_table_offset", "ArbTable", 0xffu << 24, CONST),
};

static const struct vfcap_field vc_control[] = {
	FLAG("load_arbitration_table", "Load", 1u << 0, ACTION),
	ENUM("arbitration_select", "ArbSelect", 0x7 << 1, RW, vc_arbiters),
};

static const struct vfcap_field vc_status[] = {
	FLAG("arbitration_table_loading", "InProgress", 1u << 0, RO),
};

#define VC_ARBITERS \
	FLAG("fixed", "Fixed", 1u << 0, CONST), \
	FLAG("wrr32", "WRR32", 1u << 1, CONST), \
	FLAG("wrr64", "WRR64", 1u << 2, CONST), \
	FLAG("wrr128", "WRR128", 1u << 3, CONST), \
	FLAG("twrr128", "TWRR128", 1u << 4, CONST), \
	FLAG("wrr256", "WRR256", 1u << 5, CONST)

static const struct vfcap_field vc_resource_capability[] = {
	VC_ARBITERS,
	FLAG("reject_snoop", "RejSnoop", 1u << 15, CONST),
	DEC("max_time_slots", "MaxTimeSlots", 0x7f << 16, CONST),
	HEX("arbitration_table_offset", "PATOffset", 0xffu << 24, CONST),
};

static const struct vfcap_field mfvc_resource_capability[] = {
	VC_ARBITERS,
	DEC("max_time_slots", "MaxTimeSlots", 0x7f << 16, CONST),
	HEX("arbitration_table_offset", "FATOffset", 0xffu << 24, CONST),
};

static const struct vfcap_field vc_resource_control[] = {
	HEX("tc_map", "TC/VC", 0xff, RW),
	FLAG("load_arbitration_table", "Load", 1u << 16, ACTION),
	ENUM("arbitration_select", "ArbSelect", 0x7 << 17, RW, vc_port_arbiters),
	DEC("vc_id", "ID", 0x7 << 24, RW),
	FLAG("enable", "Enable", 1u << 31, RW),
};

static const struct vfcap_field vc_resource_status[] = {
	FLAG("arbitration_table_loading", "InProgress", 1u << 0, RO),
	FLAG("negotiation_pending", "NegoPending", 1u << 1, RO),
};

static const struct vfcap_reg vc[] = {
	REG("port_capability_1", "Cap1", 0x04, 4, vc_capability1),
	REG("port_capability_2", "Cap2", 0x08, 4, vc_capability2),
	REG("port_control", "Ctrl", 0x0c, 2, vc_control),
	REG("port_status", "Status", 0x0e, 2, vc_status),
};

static const struct vfcap_reg vc_resource[] = {
	REG("capability", "Cap", 0x00, 4, vc_resource_capability),
	REG("control", "Ctrl", 0x04, 4, vc_resource_control),
	REG("status", "Status", 0x0a, 2, vc_resource_status),
};

static const struct vfcap_reg mfvc_resource[] = {
	REG("capability", "Cap", 0x00, 4, mfvc_resource_capability),
	REG("control", "Ctrl", 0x04, 4, vc_resource_control),
	REG("status", "Status", 0x0a, 2, vc_resource_status),
};

static const struct vfcap_regblock vc_blocks[] = {
	{ REGS(vc) },
	{ .key = "vc", REGS(vc_resource), .start = 0x10, .size = 0x0c, .max = 8,
	  .at = 0x04, .mask = 0x7, .plus = 1 },
};

static const struct vfcap_regblock mfvc_blocks[] = {
	{ REGS(vc) },
	{ .key = "vc", REGS(mfvc_resource), .start = 0x10, .size = 0x0c, .max = 8,
	  .at = 0x04, .mask = 0x7, .plus = 1 },
};

/* --------------------------------------------------------------------- RCLINK, RCILINK, RCEC -- */

static const char *const rclink_elements[] = { "config", "egress", "internal" };
static const char *const rclink_types[] = { "memory", "config" };

static const struct vfcap_field rclink_self[] = {
	ENUM("element_type", "Type", 0xf, CONST, rclink_elements),
	DEC("link_entries", "Links", 0xff << 8, CONST),
	HEX("component_id", "Component", 0xff << 16, CONST),
	HEX("port_number", "Port", 0xffu << 24, CONST),
};

static const struct vfcap_field rclink_link_description[] = {
	FLAG("valid", "Valid", 1u << 0, CONST),
	ENUM("type", "Type", 1u << 1, CONST, rclink_types),
	FLAG("associate_rcrb", "AssocRCRB", 1u << 2, CONST),
	HEX("target_component", "Component", 0xff << 16, CONST),
	HEX("target_port", "Port", 0xffu << 24, CONST),
};

static const struct vfcap_reg rclink[] = {
	REG("self_description", "Desc", 0x04, 4, rclink_self),
};

static const struct vfcap_reg rclink_link[] = {
	REG("description", "Desc", 0x00, 4, rclink_link_description),
	RAW("address", "Addr", 0x08, 8),
};

static const struct vfcap_regblock rclink_blocks[] = {
	{ REGS(rclink) },
	{ .key = "link", REGS(rclink_link), .start = 0x10, .size = 0x10, .max = 255,
	  .at = 0x04, .mask = 0xff00 },
};

static const char *const link_speeds[] = {
	NULL, "2.5GT/s", "5GT/s", "8GT/s", "16GT/s", "32GT/s", "64GT/s",
};
static const char *const aspm_modes[] = { "none", "L0s", "L1", "L0s L1" };

static const struct vfcap_field rcilink_capabilities[] = {
	ENUM("max_speed", "Speed", 0xf, CONST, link_speeds),
	DEC("max_width", "Width", 0x3f << 4, CONST),
	ENUM("aspm", "ASPM", 0x3 << 10, CONST, aspm_modes),
	DEC("l0s_exit_latency", "L0sExit", 0x7 << 12, CONST),
	DEC("l1_exit_latency", "L1Exit", 0x7 << 15, CONST),
	HEX("supported_speeds", "Speeds", 0x7f << 18, CONST),
};

static const struct vfcap_field rcilink_control[] = {
	ENUM("aspm", "ASPM", 0x3, RW, aspm_modes),
	FLAG("extended_sync", "ExtSync", 1u << 7, RW),
};

static const struct vfcap_field rcilink_status[] = {
	ENUM("speed", "Speed", 0xf, RO, link_speeds),
	DEC("width", "Width", 0x3f << 4, RO),
};

static const struct vfcap_reg rcilink[] = {
	REG("link_capabilities", "LnkCap", 0x04, 4, rcilink_capabilities),
	REG("link_control", "LnkCtl", 0x08, 2, rcilink_control),
	REG("link_status", "LnkSta", 0x0a, 2, rcilink_status),
};

static const struct vfcap_regblock rcilink_blocks[] = { { REGS(rcilink) } };

static const struct vfcap_field rcec_buses[] = {
	HEX("next_bus", "Next", 0xff << 8, CONST),
	HEX("last_bus", "Last", 0xff << 16, CONST),
};

static const struct vfcap_reg rcec[] = {
	RAW("rciep_bitmap", "RCiEPBitmap", 0x04, 4),
	REG("associated_buses", "AssocBus", 0x08, 4, rcec_buses),
};

static const struct vfcap_regblock rcec_blocks[] = { { REGS(rcec) } };

/* ---------------------------------------------------------- LTR, Latency Tolerance Reporting -- */

static const char *const ltr_scales[] = {
	"1ns", "32ns", "1024ns", "32768ns", "1048576ns", "33554432ns",
};

static const struct vfcap_field ltr_latency[] = {
	DEC("value", "Value", 0x3ff, RW),
	ENUM("scale", "Scale", 0x7 << 10, RW, ltr_scales),
};

static const struct vfcap_reg ltr[] = {
	REG("max_snoop_latency", "MaxSnoop", 0x04, 2, ltr_latency),
	REG("max_no_snoop_latency", "MaxNoSnoop", 0x06, 2, ltr_latency),
};

static const struct vfcap_regblock ltr_blocks[] = { { REGS(ltr) } };

/* ------------------------------------------ SECPCI and the physical layers, with lane tables -- */

static unsigned int count_lanes(const struct vfcap_regiter *it, const struct vfcap_regblock *b)
{
	(void)b;
	return vfcap_link_lanes(it->cap.img);
}

static const struct vfcap_field secpci_control[] = {
	FLAG("perform_equalization", "PerformEqu", 1u << 0, RW),
	FLAG("equalization_interrupt_enable", "EquInt", 1u << 1, RW),
	HEX("lower_skp_generation", "LowerSKP", 0x7f << 9, RW),
};

static const struct vfcap_field secpci_equalization[] = {
	DEC("downstream_tx_preset", "DSPTx", 0xf, CONST),
	DEC("downstream_rx_hint", "DSPRxHint", 0x7 << 4, CONST),
	DEC("upstream_tx_preset", "USPTx", 0xf << 8, CONST),
	DEC("upstream_rx_hint", "USPRxHint", 0x7 << 12, CONST),
};

static const struct vfcap_reg secpci[] = {
	REG("link_control_3", "LnkCtl3", 0x04, 4, secpci_control),
	RAW("lane_error_status", "LaneErr", 0x08, 4),
};

static const struct vfcap_reg secpci_lane[] = {
	REG("equalization", "Equ", 0x00, 2, secpci_equalization),
};

static const struct vfcap_regblock secpci_blocks[] = {
	{ REGS(secpci) },
	{ .key = "lane", REGS(secpci_lane), .start = 0x0c, .size = 2, .max = LANES_MAX,
	  .count = count_lanes },
};

#define PHY_EQUALIZATION \
	FLAG("equalization_complete", "EquComplete", 1u << 0, RO), \
	FLAG("equalization_phase_1", "EquPhase1", 1u << 1, RO), \
	FLAG("equalization_phase_2", "EquPhase2", 1u << 2, RO), \
	FLAG("equalization_phase_3", "EquPhase3", 1u << 3, RO), \
	FLAG("equalization_request", "EquRequest", 1u << 4, W1C)

static const struct vfcap_field phy16_status[] = { PHY_EQUALIZATION };

static const struct vfcap_field phy_presets[] = {
	DEC("downstream_tx_preset", "DSPTx", 0xf, CONST),
	DEC("upstream_tx_preset", "USPTx", 0xf << 4, CONST),
};

static const struct vfcap_reg phy_lane[] = {
	REG("equalization", "Equ", 0x00, 1, phy_presets),
};

static const struct vfcap_reg phy16[] = {
	RAW("capabilities", "Phy16Cap", 0x04, 4),
	RAW("control", "Phy16Ctl", 0x08, 4),
	REG("status", "Phy16Sta", 0x0c, 4, phy16_status),
	RAW("local_parity_mismatch", "LocalParity", 0x10, 4),
	RAW("first_retimer_parity_mismatch", "Retimer1Parity", 0x14, 4),
	RAW("second_retimer_parity_mismatch", "Retimer2Parity", 0x18, 4),
};

static const struct vfcap_regblock phy16_blocks[] = {
	{ REGS(phy16) },
	{ .key = "lane", REGS(phy_lane), .start = 0x20, .size = 1, .max = LANES_MAX,
	  .count = count_lanes },
};

static const char *const phy32_ts_modes[] = {
	"PCI Express", "training set messages", "alternate protocol",
};
static const char *const phy32_link_behaviors[] = {
	"full equalization", "bypass to highest rate", "no equalization", "modified TS",
};

static const struct vfcap_field phy32_capabilities[] = {
	FLAG("equalization_bypass", "EquBypass", 1u << 0, CONST),
	FLAG("no_equalization_needed", "NoEqu", 1u << 1, CONST),
	FLAG("modified_ts_mode_0", "ModTS0", 1u << 8, CONST),
	FLAG("modified_ts_mode_1", "ModTS1", 1u << 9, CONST),
	FLAG("modified_ts_mode_2", "ModTS2", 1u << 10, CONST),
};

static const struct vfcap_field phy32_control[] = {
	FLAG("equalization_bypass_disable", "EquBypassDis", 1u << 0, RW),
	FLAG("no_equalization_needed_disable", "NoEquDis", 1u << 1, RW),
	ENUM("modified_ts_mode", "ModTS", 0x7 << 8, RW, phy32_ts_modes),
};

static const struct vfcap_field phy32_status[] = {
	PHY_EQUALIZATION,
	FLAG("modified_ts_received", "ModTSRcvd", 1u << 5, RO),
	ENUM("received_link_behavior", "LinkBehavior", 0x3 << 6, RO, phy32_link_behaviors),
	FLAG("transmitter_precoding_on", "TxPrecodeOn", 1u << 8, RO),
	FLAG("transmitter_precoding_request", "TxPrecodeReq", 1u << 9, RO),
	FLAG("no_equalization_needed_received", "NoEquRcvd", 1u << 10, RO),
};

static const struct vfcap_reg phy32[] = {
	REG("capabilities", "Phy32Cap", 0x04, 4, phy32_capabilities),
	REG("control", "Phy32Ctl", 0x08, 4, phy32_control),
	REG("status", "Phy32Sta", 0x0c, 4, phy32_status),
	RAW("received_modified_ts_1", "RxModTS1", 0x10, 4),
	RAW("received_modified_ts_2", "RxModTS2", 0x14, 4),
	RAW("transmitted_modified_ts_1", "TxModTS1", 0x18, 4),
	RAW("transmitted_modified_ts_2", "TxModTS2", 0x1c, 4),
};

static const struct vfcap_regblock phy32_blocks[] = {
	{ REGS(phy32) },
	{ .key = "lane", REGS(phy_lane), .start = 0x20, .size = 1, .max = LANES_MAX,
	  .count = count_lanes },
};

static const struct vfcap_field phy64_status[] = {
	PHY_EQUALIZATION,
	FLAG("transmitter_precoding_on", "TxPrecodeOn", 1u << 5, RO),
	FLAG("transmitter_precoding_request", "TxPrecodeReq", 1u << 6, RO),
	FLAG("no_equalization_needed_received", "NoEquRcvd", 1u << 7, RO),
};

/* No lane table: revisions of the Spec disagree where it begins (0x10 or 0x20). */
static const struct vfcap_reg phy64[] = {
	RAW("capabilities", "Phy64Cap", 0x04, 4),
	RAW("control", "Phy64Ctl", 0x08, 4),
	REG("status", "Phy64Sta", 0x0c, 4, phy64_status),
};

static const struct vfcap_regblock phy64_blocks[] = { { REGS(phy64) } };

/* ------------------------------------------------------- LMR, Lane Margining at the Receiver -- */

static const struct vfcap_field lmr_capabilities[] = {
	FLAG("uses_driver_software", "Driver", 1u << 0, CONST),
};

static const struct vfcap_field lmr_status[] = {
	FLAG("ready", "Ready", 1u << 0, RO),
	FLAG("software_ready", "SoftReady", 1u << 1, RO),
};

#define LMR_LANE(access) { \
	DEC("receiver", "Receiver", 0x7, access), \
	DEC("margin_type", "Type", 0x7 << 3, access), \
	FLAG("usage_model", "Usage", 1u << 6, access), \
	HEX("payload", "Payload", 0xff << 8, access), \
}

static const struct vfcap_field lmr_lane_control[] = LMR_LANE(RW);
static const struct vfcap_field lmr_lane_status[] = LMR_LANE(RO);

static const struct vfcap_reg lmr[] = {
	REG("port_capabilities", "PortCap", 0x04, 2, lmr_capabilities),
	REG("port_status", "PortSta", 0x06, 2, lmr_status),
};

static const struct vfcap_reg lmr_lane[] = {
	REG("control", "Ctl", 0x00, 2, lmr_lane_control),
	REG("status", "Sta", 0x02, 2, lmr_lane_status),
};

static const struct vfcap_regblock lmr_blocks[] = {
	{ REGS(lmr) },
	{ .key = "lane", REGS(lmr_lane), .start = 0x08, .size = 4, .max = LANES_MAX,
	  .count = count_lanes },
};

/* ------------------------------------------------------------------------------ L1SS and PTM -- */

static const char *const l1ss_power_scales[] = { "2us", "10us", "100us" };

static const struct vfcap_field l1ss_capabilities[] = {
	FLAG("pci_pm_l1_2", "PCI-PM_L1.2", 1u << 0, CONST),
	FLAG("pci_pm_l1_1", "PCI-PM_L1.1", 1u << 1, CONST),
	FLAG("aspm_l1_2", "ASPM_L1.2", 1u << 2, CONST),
	FLAG("aspm_l1_1", "ASPM_L1.1", 1u << 3, CONST),
	FLAG("l1_pm_substates", "L1Substates", 1u << 4, CONST),
	FLAG("link_activation", "LinkAct", 1u << 5, CONST),
	DEC("common_mode_restore_time", "CMRestore(us)", 0xff << 8, CONST),
	ENUM("t_power_on_scale", "TPwrOnScale", 0x3 << 16, CONST, l1ss_power_scales),
	DEC("t_power_on_value", "TPwrOn", 0x1f << 19, CONST),
};

static const struct vfcap_field l1ss_control1[] = {
	FLAG("pci_pm_l1_2_enable", "PCI-PM_L1.2", 1u << 0, RW),
	FLAG("pci_pm_l1_1_enable", "PCI-PM_L1.1", 1u << 1, RW),
	FLAG("aspm_l1_2_enable", "ASPM_L1.2", 1u << 2, RW),
	FLAG("aspm_l1_1_enable", "ASPM_L1.1", 1u << 3, RW),
	FLAG("link_activation_interrupt_enable", "LinkActInt", 1u << 4, RW),
	FLAG("link_activation_control", "LinkAct", 1u << 5, RW),
	DEC("common_mode_restore_time", "CMRestore(us)", 0xff << 8, RW),
	DEC("ltr_l1_2_threshold_value", "LTRThreshold", 0x3ff << 16, RW),
	ENUM("ltr_l1_2_threshold_scale", "LTRScale", 0x7u << 29, RW, ltr_scales),
};

static const struct vfcap_field l1ss_control2[] = {
	ENUM("t_power_on_scale", "TPwrOnScale", 0x3, RW, l1ss_power_scales),
	DEC("t_power_on_value", "TPwrOn", 0x1f << 3, RW),
};

static const struct vfcap_field l1ss_status[] = {
	FLAG("link_activation", "LinkAct", 1u << 0, W1C),
};

static const struct vfcap_reg l1ss[] = {
	REG("capabilities", "L1SubCap", 0x04, 4, l1ss_capabilities),
	REG("control_1", "L1SubCtl1", 0x08, 4, l1ss_control1),
	REG("control_2", "L1SubCtl2", 0x0c, 4, l1ss_control2),
	REG("status", "L1SubSta", 0x10, 4, l1ss_status),
};

static const struct vfcap_regblock l1ss_blocks[] = { { REGS(l1ss) } };

static const struct vfcap_field ptm_capability[] = {
	FLAG("requester", "Requester", 1u << 0, CONST),
	FLAG("responder", "Responder", 1u << 1, CONST),
	FLAG("root", "Root", 1u << 2, CONST),
	FLAG("eptm", "ePTM", 1u << 3, CONST),
	FLAG("delay_adaptation", "DelayAdapt", 1u << 4, CONST),
	DEC("clock_granularity", "Granularity(ns)", 0xff << 8, CONST),
};

static const struct vfcap_field ptm_control[] = {
	FLAG("enable", "Enable", 1u << 0, RW),
	FLAG("root_select", "RootSel", 1u << 1, RW),
	DEC("effective_granularity", "Granularity(ns)", 0xff << 8, RW),
};

static const struct vfcap_reg ptm[] = {
	REG("capability", "PTMCap", 0x04, 4, ptm_capability),
	REG("control", "PTMCtl", 0x08, 4, ptm_control),
};

static const struct vfcap_regblock ptm_blocks[] = { { REGS(ptm) } };

/* ------------------------------------------------------------------------------- FRS and RTR -- */

static const struct vfcap_field frs_capability[] = {
	DEC("queue_max_depth", "MaxDepth", 0xfff, CONST),
	DEC("interrupt_message_number", "IntMsgNum", 0x1f << 16, RO),
};

static const struct vfcap_field frs_status[] = {
	FLAG("message_received", "Received", 1u << 0, W1C),
	FLAG("message_overflow", "Overflow", 1u << 1, W1C),
};

static const struct vfcap_field frs_control[] = {
	FLAG("interrupt_enable", "Int", 1u << 0, RW),
};

static const struct vfcap_reg frs[] = {
	REG("capability", "FRSCap", 0x04, 4, frs_capability),
	REG("status", "FRSSta", 0x08, 2, frs_status),
	REG("control", "FRSCtl", 0x0a, 2, frs_control),
	RAW("message_queue", "FRSQueue", 0x0c, 4),
};

static const struct vfcap_regblock frs_blocks[] = { { REGS(frs) } };

/* A time is value * 32^scale ns. */
static const struct vfcap_field rtr_1[] = {
	DEC("reset_time_value", "Reset", 0x1ff, CONST),
	ENUM("reset_time_scale", "ResetScale", 0x7 << 9, CONST, ltr_scales),
	DEC("dl_up_time_value", "DLUp", 0x1ff << 12, CONST),
	ENUM("dl_up_time_scale", "DLUpScale", 0x7 << 21, CONST, ltr_scales),
	FLAG("valid", "Valid", 1u << 31, CONST),
};

static const struct vfcap_field rtr_2[] = {
	DEC("flr_time_value", "FLR", 0x1ff, CONST),
	ENUM("flr_time_scale", "FLRScale", 0x7 << 9, CONST, ltr_scales),
	DEC("d3hot_to_d0_time_value", "D3hotD0", 0x1ff << 12, CONST),
	ENUM("d3hot_to_d0_time_scale", "D3hotD0Scale", 0x7 << 21, CONST, ltr_scales),
};

static const struct vfcap_reg rtr[] = {
	REG("readiness_time_1", "RTR1", 0x04, 4, rtr_1),
	REG("readiness_time_2", "RTR2", 0x08, 4, rtr_2),
};

static const struct vfcap_regblock rtr_blocks[] = { { REGS(rtr) } };

/* -------------------------------------------------------------------- DLF, Data Link Feature -- */

static const struct vfcap_field dlf_capabilities[] = {
	FLAG("scaled_flow_control", "ScaledFC", 1u << 0, CONST),
	HEX("other_features", "Other", 0x3fffff << 1, CONST),
	FLAG("exchange_enable", "Exchange", 1u << 31, RW),
};

static const struct vfcap_field dlf_status[] = {
	FLAG("remote_scaled_flow_control", "ScaledFC", 1u << 0, RO),
	HEX("remote_other_features", "Other", 0x3fffff << 1, RO),
	FLAG("remote_valid", "Valid", 1u << 31, RO),
};

static const struct vfcap_reg dlf[] = {
	REG("capabilities", "DLFCap", 0x04, 4, dlf_capabilities),
	REG("status", "DLFSta", 0x08, 4, dlf_status),
};

static const struct vfcap_regblock dlf_blocks[] = { { REGS(dlf) } };

/* -------------------------------------------------------------------------- ALT_PROT and SFI -- */

static const struct vfcap_field alt_prot_capabilities[] = {
	DEC("count", "Count", 0xff, CONST),
	FLAG("selective_enable", "SelectiveEn", 1u << 8, CONST),
};

static const struct vfcap_field alt_prot_control[] = {
	DEC("index_select", "Index", 0xff, RW),
	FLAG("global_enable", "Enable", 1u << 8, RW),
};

static const struct vfcap_field alt_prot_data1[] = {
	DEC("usage", "Usage", 0x7, RO),
	HEX("details", "Details", 0x7ff << 5, RO),
	HEX("vendor_id", "Vendor", 0xffffu << 16, RO),
};

static const struct vfcap_field alt_prot_data2[] = {
	HEX("modified_ts_information", "ModTS", 0xffffff, RO),
};

static const struct vfcap_reg alt_prot[] = {
	REG("capabilities", "AltCap", 0x04, 4, alt_prot_capabilities),
	REG("control", "AltCtl", 0x08, 4, alt_prot_control),
	REG("data_1", "AltData1", 0x0c, 4, alt_prot_data1),
	REG("data_2", "AltData2", 0x10, 4, alt_prot_data2),
	RAW("selective_enable_mask", "AltMask", 0x14, 4),
};

static const struct vfcap_regblock alt_prot_blocks[] = { { REGS(alt_prot) } };

/* CAM data at 0x10 is left out: reading it makes the port send a configuration request. */
static const struct vfcap_reg sfi[] = {
	RAW("capability", "SFICap", 0x04, 2),
	RAW("control", "SFICtl", 0x06, 2),
	RAW("status", "SFISta", 0x08, 4),
};

static const struct vfcap_regblock sfi_blocks[] = { { REGS(sfi) } };

/* ---------------------------------------------------------------------------- DEV3, Device 3 -- */

static const char *const flit_widths[] = { "x1", "x2", "x4", "x8", "x16", NULL, NULL, "dynamic" };
static const char *const l0p_latencies[] = {
	"below 1us", "1us to 2us", "2us to 4us", "4us to 8us",
	"8us to 16us", "16us to 32us", "32us to 64us", "above 64us",
};

static const struct vfcap_field dev3_capabilities[] = {
	FLAG("dmwr_routing", "DMWrRouting", 1u << 0, CONST),
	FLAG("tag_14bit_completer", "14BitTagComp", 1u << 1, CONST),
	FLAG("tag_14bit_requester", "14BitTagReq", 1u << 2, CONST),
	FLAG("l0p", "L0p", 1u << 3, CONST),
	ENUM("port_l0p_exit_latency", "PortL0pExit", 0x7 << 4, CONST, l0p_latencies),
	ENUM("retimer_l0p_exit_latency", "RetimerL0pExit", 0x7 << 7, CONST, l0p_latencies),
	FLAG("uio_memory_completer", "UIOComp", 1u << 10, CONST),
	FLAG("uio_memory_requester", "UIOReq", 1u << 11, CONST),
};

static const struct vfcap_field dev3_control[] = {
	FLAG("dmwr_requester_enable", "DMWrReq", 1u << 0, RW),
	FLAG("dmwr_egress_blocking", "DMWrBlk", 1u << 1, RW),
	FLAG("tag_14bit_requester_enable", "14BitTagReq", 1u << 2, RW),
	FLAG("l0p_enable", "L0p", 1u << 3, RW),
	ENUM("target_link_width", "TargetWidth", 0x7 << 4, RW, flit_widths),
	FLAG("uio_memory_requester_enable", "UIOReq", 1u << 7, RW),
	FLAG("uio_256b_boundary_disable", "UIO256BDis", 1u << 8, RW),
};

static const struct vfcap_field dev3_status[] = {
	ENUM("initial_link_width", "InitWidth", 0x7, RO, flit_widths),
	FLAG("segment_captured", "SegCaptured", 1u << 3, RO),
	FLAG("remote_l0p", "RemoteL0p", 1u << 4, RO),
};

static const struct vfcap_reg dev3[] = {
	REG("capabilities", "DevCap3", 0x04, 4, dev3_capabilities),
	REG("control", "DevCtl3", 0x08, 4, dev3_control),
	REG("status", "DevSta3", 0x0c, 4, dev3_status),
};

static const struct vfcap_regblock dev3_blocks[] = { { REGS(dev3) } };

/* -------------------------------------------------------- Flit logging, Flit error injection -- */

static const char *const flit_granularities[] = { "all", "even", "odd", "mismatch" };

static const struct vfcap_field flit_log_1[] = {
	FLAG("valid", "Valid", 1u << 0, RO),
	ENUM("link_width", "Width", 0x7 << 1, RO, flit_widths),
	DEC("flit_offset", "Offset", 0xf << 4, RO),
	DEC("consecutive_errors", "Consecutive", 0x1f << 8, RO),
	FLAG("more_entries", "More", 1u << 13, RO),
	FLAG("unrecognized_flit", "Unrecognized", 1u << 14, RO),
	FLAG("fec_uncorrectable", "Uncorrectable", 1u << 15, RO),
	HEX("syndrome_parity_0", "Parity0", 0xff << 16, RO),
	HEX("syndrome_check_0", "Check0", 0xffu << 24, RO),
};

static const struct vfcap_field flit_log_2[] = {
	HEX("syndrome_parity_1", "Parity1", 0xff, RO),
	HEX("syndrome_check_1", "Check1", 0xff << 8, RO),
	HEX("syndrome_parity_2", "Parity2", 0xff << 16, RO),
	HEX("syndrome_check_2", "Check2", 0xffu << 24, RO),
};

static const struct vfcap_field flit_counter_control[] = {
	FLAG("enable", "En", 1u << 0, RW),
	FLAG("interrupt_enable", "Int", 1u << 1, RW),
	DEC("events", "Events", 0x3 << 2, RW),
	DEC("trigger_count", "Trigger", 0xff << 4, RW),
};

static const struct vfcap_field flit_counter_status[] = {
	ENUM("link_width", "Width", 0x7, RO, flit_widths),
	FLAG("interrupt_generated", "Int", 1u << 3, RO),
	DEC("errors", "Errors", 0xff << 8, RO),
};

static const struct vfcap_field flit_fber_control[] = {
	FLAG("enable", "En", 1u << 0, RW),
	FLAG("clear", "Clear", 1u << 1, ACTION),
	ENUM("granularity", "Granularity", 0x3 << 2, RW, flit_granularities),
};

static const struct vfcap_field flit_fber_flits[] = { DEC("flits", "Flits", ~0u, RO) };
static const struct vfcap_field flit_fber_invalid[] = { DEC("flits", "Flits", 0xffff, RO) };
static const struct vfcap_field flit_lane_errors[] = { DEC("count", "Errors", 0xffff, RO) };

static const struct vfcap_reg flit_log[] = {
	REG("error_log_1", "Log1", 0x04, 4, flit_log_1),
	REG("error_log_2", "Log2", 0x08, 4, flit_log_2),
	REG("error_counter_control", "CntCtl", 0x0c, 2, flit_counter_control),
	REG("error_counter_status", "CntSta", 0x0e, 2, flit_counter_status),
	REG("fber_control", "MeasCtl", 0x10, 4, flit_fber_control),
	REG("fber_flits", "MeasFlits", 0x14, 4, flit_fber_flits),
	REG("fber_invalid_flits", "MeasInvalid", 0x18, 4, flit_fber_invalid),
};

static const struct vfcap_reg flit_log_lane[] = {
	REG("correctable_errors", "Correctable", 0x00, 2, flit_lane_errors),
};

static const struct vfcap_regblock flit_log_blocks[] = {
	{ REGS(flit_log) },
	{ .key = "lane", REGS(flit_log_lane), .start = 0x1c, .size = 2, .max = 16 },
};

static const char *const inject_flits[] = {
	"any", "non-idle", "payload", "NOP", "idle",
	"payload at sequence 0", "payload at sequence 1",
};
static const char *const inject_errors[] = {
	"random", "correctable, one group", "correctable, three groups", "uncorrectable",
};
static const char *const inject_progress[] = { "not started", "started", "completed", "error" };

static const struct vfcap_field inject_control1[] = {
	FLAG("enable", "En", 1u << 0, RW),
	FLAG("transmitted", "Tx", 1u << 1, RW),
	FLAG("received", "Rx", 1u << 2, RW),
	FLAG("at_2_5gt", "2.5GT/s", 1u << 6, RW),
	FLAG("at_5gt", "5GT/s", 1u << 7, RW),
	FLAG("at_8gt", "8GT/s", 1u << 8, RW),
	FLAG("at_16gt", "16GT/s", 1u << 9, RW),
	FLAG("at_32gt", "32GT/s", 1u << 10, RW),
	FLAG("at_64gt", "64GT/s", 1u << 11, RW),
	DEC("errors", "Errors", 0x1f << 16, RW),
	DEC("spacing", "Spacing", 0xff << 21, RW),
	ENUM("flit_type", "Flits", 0x7u << 29, RW, inject_flits),
};

static const struct vfcap_field inject_control2[] = {
	DEC("consecutive", "Consecutive", 0x7, RW),
	ENUM("error_type", "Type", 0x3 << 3, RW, inject_errors),
	DEC("flit_offset", "Offset", 0x7f << 5, RW),
	HEX("magnitude", "Magnitude", 0xff << 12, RW),
};

static const struct vfcap_field inject_status[] = {
	ENUM("transmitted", "Tx", 0x3, RO, inject_progress),
	ENUM("received", "Rx", 0x3 << 2, RO, inject_progress),
};

static const struct vfcap_field inject_os_control1[] = {
	FLAG("enable", "En", 1u << 0, RW),
	FLAG("transmitted", "Tx", 1u << 1, RW),
	FLAG("received", "Rx", 1u << 2, RW),
	DEC("errors", "Errors", 0x1f << 3, RW),
	DEC("spacing", "Spacing", 0xff << 8, RW),
	FLAG("ts0", "TS0", 1u << 16, RW),
	FLAG("ts1", "TS1", 1u << 17, RW),
	FLAG("ts2", "TS2", 1u << 18, RW),
	FLAG("skp", "SKP", 1u << 19, RW),
	FLAG("eieos", "EIEOS", 1u << 20, RW),
	FLAG("eios", "EIOS", 1u << 21, RW),
	FLAG("sds", "SDS", 1u << 22, RW),
	FLAG("polling", "Polling", 1u << 23, RW),
	FLAG("configuration", "Config", 1u << 24, RW),
	FLAG("l0", "L0", 1u << 25, RW),
	FLAG("recovery", "Recovery", 1u << 26, RW),
	FLAG("equalization_0_1", "Equ01", 1u << 27, RW),
	FLAG("equalization_2", "Equ2", 1u << 28, RW),
	FLAG("equalization_3", "Equ3", 1u << 29, RW),
};

static const struct vfcap_field inject_os_control2[] = {
	HEX("bytes", "Bytes", 0xffff, RW),
	HEX("lanes", "Lanes", 0xffffu << 16, RW),
};

static const struct vfcap_field inject_os_status[] = {
	ENUM("ts0", "TS0", 0x3, RO, inject_progress),
	ENUM("ts1", "TS1", 0x3 << 2, RO, inject_progress),
	ENUM("ts2", "TS2", 0x3 << 4, RO, inject_progress),
	ENUM("skp", "SKP", 0x3 << 6, RO, inject_progress),
	ENUM("eieos", "EIEOS", 0x3 << 8, RO, inject_progress),
	ENUM("eios", "EIOS", 0x3 << 10, RO, inject_progress),
	ENUM("sds", "SDS", 0x3 << 12, RO, inject_progress),
	ENUM("polling", "Polling", 0x3 << 14, RO, inject_progress),
	ENUM("configuration", "Config", 0x3 << 16, RO, inject_progress),
	ENUM("l0", "L0", 0x3 << 18, RO, inject_progress),
	ENUM("recovery", "Recovery", 0x3 << 20, RO, inject_progress),
	ENUM("equalization_0_1", "Equ01", 0x3 << 22, RO, inject_progress),
	ENUM("equalization_2", "Equ2", 0x3 << 24, RO, inject_progress),
	ENUM("equalization_3", "Equ3", 0x3 << 26, RO, inject_progress),
};

static const struct vfcap_reg inject[] = {
	RAW("capability", "FlitEiCap", 0x04, 4),
	REG("control_1", "FlitEiCtl1", 0x08, 4, inject_control1),
	REG("control_2", "FlitEiCtl2", 0x0c, 4, inject_control2),
	REG("status", "FlitEiSta", 0x10, 4, inject_status),
	REG("ordered_set_control_1", "OSEiCtl1", 0x14, 4, inject_os_control1),
	REG("ordered_set_control_2", "OSEiCtl2", 0x18, 4, inject_os_control2),
	REG("ordered_set_tx_status", "OSEiTx", 0x1c, 4, inject_os_status),
	REG("ordered_set_rx_status", "OSEiRx", 0x20, 4, inject_os_status),
};

static const struct vfcap_regblock inject_blocks[] = { { REGS(inject) } };

/* ------------------------------------------------------------------------------- all of them -- */

const struct vfcap_regcap vfcap_regs_link[VFCAP_ID_MAX + 1] = {
	[0x02] = BLOCKS(vc_blocks),
	[0x05] = BLOCKS(rclink_blocks),
	[0x06] = BLOCKS(rcilink_blocks),
	[0x07] = BLOCKS(rcec_blocks),
	[0x08] = BLOCKS(mfvc_blocks),
	[0x09] = BLOCKS(vc_blocks),
	[0x18] = BLOCKS(ltr_blocks),
	[0x19] = BLOCKS(secpci_blocks),
	[0x1e] = BLOCKS(l1ss_blocks),
	[0x1f] = BLOCKS(ptm_blocks),
	[0x21] = BLOCKS(frs_blocks),
	[0x22] = BLOCKS(rtr_blocks),
	[0x25] = BLOCKS(dlf_blocks),
	[0x26] = BLOCKS(phy16_blocks),
	[0x27] = BLOCKS(lmr_blocks),
	[0x2a] = BLOCKS(phy32_blocks),
	[0x2b] = BLOCKS(alt_prot_blocks),
	[0x2c] = BLOCKS(sfi_blocks),
	[0x2f] = BLOCKS(dev3_blocks),
	[0x31] = BLOCKS(phy64_blocks),
	[0x32] = BLOCKS(flit_log_blocks),
	[0x34] = BLOCKS(inject_blocks),
};
