/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The registers of vendors, VSEC and DVSEC, and those that the CXL consortium defines there. */
#include "regs.h"

/* --------------------------------------------------------------------- VSEC, Vendor-Specific -- */

static const struct vfcap_field vsec_header[] = {
	HEX("id", "ID", 0xffff, CONST),
	DEC("revision", "Rev", 0xf << 16, CONST),
	DEC("length", "Len", 0xfffu << 20, CONST),
};

static const struct vfcap_reg vsec[] = {
	REG("header", "Header", 0x04, 4, vsec_header),
};

static const struct vfcap_regblock vsec_blocks[] = { { REGS(vsec) } };

/* ---------------------------------------- DVSEC, Designated Vendor-Specific, and CXL's of it -- */

#define DVSEC_VENDOR_CXL 0x1e98

/* CXL Specification 8.1.1: the DVSEC IDs that it assigns. */
enum { CXL_DEVICE, CXL_FUNCTION_MAP = 2, CXL_PORT, CXL_GPF_PORT, CXL_GPF_DEVICE, CXL_FLEX_BUS = 7,
       CXL_LOCATOR, CXL_MLD };

static unsigned int count_cxl(const struct vfcap_regiter *it, const struct vfcap_regblock *b)
{
	uint32_t vendor, id;

	if (!vfcap_regs_read(it, 0x04, 2, &vendor) || !vfcap_regs_read(it, 0x08, 2, &id))
		return 0;
	return vendor == DVSEC_VENDOR_CXL && id == b->arg ? b->max : 0;
}

static const struct vfcap_field dvsec_header1[] = {
	HEX("vendor_id", "Vendor", 0xffff, CONST),
	DEC("revision", "Rev", 0xf << 16, CONST),
	DEC("length", "Len", 0xfffu << 20, CONST),
};

static const struct vfcap_reg dvsec[] = {
	REG("header_1", "Header1", 0x04, 4, dvsec_header1),
	RAW("id", "ID", 0x08, 2),
};

static const char *const cxl_cache_units[] = { "not reported", "64KB", "1MB" };
static const char *const cxl_media[] = { "volatile", "non-volatile", "CDAT" };
static const char *const cxl_classes[] = { "DRAM", "storage", "CDAT" };
static const char *const cxl_timeouts[] = { "1s", "4s", "16s", "64s", "256s" };
static const char *const cxl_durations[] = {
	"1us", "10us", "100us", "1ms", "10ms", "100ms", "1s", "10s",
};
static const char *const cxl_registers[] = {
	"none", "component", "BAR virtualization", "device", "performance monitor",
};

static const struct vfcap_field cxl_device_capability[] = {
	FLAG("cache", "Cache", 1u << 0, CONST),
	FLAG("io", "IO", 1u << 1, CONST),
	FLAG("mem", "Mem", 1u << 2, CONST),
	FLAG("mem_hw_init", "MemHWInit", 1u << 3, CONST),
	DEC("hdm_count", "HDMCount", 0x3 << 4, CONST),
	FLAG("cache_writeback_invalidate", "CacheWBInv", 1u << 6, CONST),
	FLAG("cxl_reset", "Reset", 1u << 7, CONST),
	DEC("cxl_reset_timeout", "ResetTimeout", 0x7 << 8, CONST),
	FLAG("cxl_reset_mem_clear", "ResetMemClr", 1u << 11, CONST),
	FLAG("multiple_logical_device", "MLD", 1u << 13, CONST),
	FLAG("viral", "Viral", 1u << 14, CONST),
	FLAG("pm_init_completion_reporting", "PMInit", 1u << 15, CONST),
};

static const struct vfcap_field cxl_device_control[] = {
	FLAG("cache_enable", "Cache", 1u << 0, RW),
	FLAG("io_enable", "IO", 1u << 1, RW),
	FLAG("mem_enable", "Mem", 1u << 2, RW),
	DEC("snoop_filter_coverage", "SFCov", 0x1f << 3, RW),
	DEC("snoop_filter_granularity", "SFGran", 0x7 << 8, RW),
	FLAG("clean_eviction_hint", "CacheClean", 1u << 11, RW),
	FLAG("viral_enable", "Viral", 1u << 14, RW),
};

static const struct vfcap_field cxl_device_status[] = {
	FLAG("viral", "Viral", 1u << 14, W1C),
};

static const struct vfcap_field cxl_device_control2[] = {
	FLAG("disable_caching", "NoCaching", 1u << 0, RW),
	FLAG("start_cache_writeback_invalidate", "CacheWBInv", 1u << 1, ACTION),
	FLAG("start_cxl_reset", "Reset", 1u << 2, ACTION),
	FLAG("cxl_reset_mem_clear_enable", "ResetMemClr", 1u << 3, RW),
	FLAG("desired_volatile_hdm_state_after_hot_reset", "VolatileHDM", 1u << 4, RW),
};

static const struct vfcap_field cxl_device_status2[] = {
	FLAG("cache_invalid", "CacheInvalid", 1u << 0, RO),
	FLAG("cxl_reset_complete", "ResetComplete", 1u << 1, RO),
	FLAG("cxl_reset_error", "ResetError", 1u << 2, RO),
	FLAG("pm_init_complete", "PMComplete", 1u << 15, RO),
};

static const struct vfcap_field cxl_device_lock[] = {
	FLAG("config_lock", "Lock", 1u << 0, RW),
};

static const struct vfcap_field cxl_device_capability2[] = {
	ENUM("cache_size_unit", "CacheUnit", 0xf, CONST, cxl_cache_units),
	DEC("cache_size", "CacheSize", 0xff << 8, CONST),
};

static const struct vfcap_field cxl_range_size_low[] = {
	FLAG("valid", "Valid", 1u << 0, RO),
	FLAG("active", "Active", 1u << 1, RO),
	ENUM("media", "Media", 0x7 << 2, RO, cxl_media),
	ENUM("memory_class", "Class", 0x7 << 5, RO, cxl_classes),
	DEC("interleave", "Interleave", 0x1f << 8, RO),
	ENUM("active_timeout", "Timeout", 0x7 << 13, RO, cxl_timeouts),
	HEX("size_low", "Size", 0xfu << 28, RO),
};

static const struct vfcap_field cxl_device_capability3[] = {
	FLAG("volatile_hdm_cold_reset", "ColdReset", 1u << 0, CONST),
	FLAG("volatile_hdm_warm_reset", "WarmReset", 1u << 1, CONST),
	FLAG("volatile_hdm_hot_reset", "HotReset", 1u << 2, CONST),
	FLAG("volatile_hdm_hot_reset_configurable", "HotResetCfg", 1u << 3, CONST),
};

static const struct vfcap_reg cxl_device[] = {
	REG("cxl_capability", "CXLCap", 0x0a, 2, cxl_device_capability),
	REG("cxl_control", "CXLCtl", 0x0c, 2, cxl_device_control),
	REG("cxl_status", "CXLSta", 0x0e, 2, cxl_device_status),
	REG("cxl_control_2", "CXLCtl2", 0x10, 2, cxl_device_control2),
	REG("cxl_status_2", "CXLSta2", 0x12, 2, cxl_device_status2),
	REG("cxl_lock", "CXLLock", 0x14, 2, cxl_device_lock),
	REG("cxl_capability_2", "CXLCap2", 0x16, 2, cxl_device_capability2),
	RAW("cxl_range_1_size_high", "Range1SizeHi", 0x18, 4),
	REG("cxl_range_1_size_low", "Range1SizeLo", 0x1c, 4, cxl_range_size_low),
	RAW("cxl_range_1_base_high", "Range1BaseHi", 0x20, 4),
	RAW("cxl_range_1_base_low", "Range1BaseLo", 0x24, 4),
	RAW("cxl_range_2_size_high", "Range2SizeHi", 0x28, 4),
	REG("cxl_range_2_size_low", "Range2SizeLo", 0x2c, 4, cxl_range_size_low),
	RAW("cxl_range_2_base_high", "Range2BaseHi", 0x30, 4),
	RAW("cxl_range_2_base_low", "Range2BaseLo", 0x34, 4),
	REG("cxl_capability_3", "CXLCap3", 0x38, 2, cxl_device_capability3),
};

static const struct vfcap_reg cxl_function_map[] = {
	RAW("cxl_function_map_0", "FuncMap0", 0x0c, 4),
	RAW("cxl_function_map_1", "FuncMap1", 0x10, 4),
	RAW("cxl_function_map_2", "FuncMap2", 0x14, 4),
	RAW("cxl_function_map_3", "FuncMap3", 0x18, 4),
	RAW("cxl_function_map_4", "FuncMap4", 0x1c, 4),
	RAW("cxl_function_map_5", "FuncMap5", 0x20, 4),
	RAW("cxl_function_map_6", "FuncMap6", 0x24, 4),
	RAW("cxl_function_map_7", "FuncMap7", 0x28, 4),
};

static const struct vfcap_field cxl_port_status[] = {
	FLAG("pm_init_complete", "PMComplete", 1u << 0, RO),
};

static const struct vfcap_field cxl_port_control[] = {
	FLAG("unmask_sbr", "UnmaskSBR", 1u << 0, RW),
	FLAG("unmask_link_disable", "UnmaskLinkDis", 1u << 1, RW),
	FLAG("alternate_memory_enable", "AltMem", 1u << 2, RW),
	FLAG("alternate_bus_master_enable", "AltBME", 1u << 3, RW),
	FLAG("viral_enable", "Viral", 1u << 14, RW),
};

static const struct vfcap_reg cxl_port[] = {
	REG("cxl_port_status", "CXLPortSta", 0x0a, 2, cxl_port_status),
	REG("cxl_port_control", "CXLPortCtl", 0x0c, 2, cxl_port_control),
	RAW("cxl_alternate_bus_base", "AltBusBase", 0x0e, 1),
	RAW("cxl_alternate_bus_limit", "AltBusLimit", 0x0f, 1),
	RAW("cxl_alternate_memory_base", "AltMemBase", 0x10, 2),
	RAW("cxl_alternate_memory_limit", "AltMemLimit", 0x12, 2),
};

static const struct vfcap_field cxl_gpf_duration[] = {
	DEC("duration", "Time", 0xf, RO),
	ENUM("scale", "Scale", 0xf << 8, RO, cxl_durations),
};

static const struct vfcap_reg cxl_gpf_port[] = {
	REG("cxl_gpf_phase_1_control", "GPFPhase1", 0x0c, 2, cxl_gpf_duration),
	REG("cxl_gpf_phase_2_control", "GPFPhase2", 0x0e, 2, cxl_gpf_duration),
};

static const struct vfcap_reg cxl_gpf_device[] = {
	REG("cxl_gpf_phase_2_duration", "GPFPhase2", 0x0a, 2, cxl_gpf_duration),
	RAW("cxl_gpf_phase_2_power", "GPFPower(mW)", 0x0c, 4),
};

static const struct vfcap_field cxl_flex_bus_capability[] = {
	FLAG("cache", "Cache", 1u << 0, CONST),
	FLAG("io", "IO", 1u << 1, CONST),
	FLAG("mem", "Mem", 1u << 2, CONST),
	FLAG("flit_68b", "68BFlit", 1u << 5, CONST),
	FLAG("multiple_logical_device", "MLD", 1u << 6, CONST),
	FLAG("flit_256b", "256BFlit", 1u << 13, CONST),
	FLAG("flit_pbr", "PBRFlit", 1u << 14, CONST),
};

static const struct vfcap_field cxl_flex_bus_control[] = {
	FLAG("cache_enable", "Cache", 1u << 0, RW),
	FLAG("io_enable", "IO", 1u << 1, RW),
	FLAG("mem_enable", "Mem", 1u << 2, RW),
	FLAG("sync_header_bypass_enable", "SyncHdrByp", 1u << 3, RW),
	FLAG("drift_buffer_enable", "DriftBuf", 1u << 4, RW),
	FLAG("flit_68b_enable", "68BFlit", 1u << 5, RW),
	FLAG("multiple_logical_device_enable", "MLD", 1u << 6, RW),
	FLAG("rcd_training_disable", "NoRCD", 1u << 7, RW),
	FLAG("retimer_1_present", "Retimer1", 1u << 8, RW),
	FLAG("retimer_2_present", "Retimer2", 1u << 9, RW),
	FLAG("flit_256b_enable", "256BFlit", 1u << 13, RW),
	FLAG("flit_pbr_enable", "PBRFlit", 1u << 14, RW),
};

static const struct vfcap_field cxl_flex_bus_status[] = {
	FLAG("cache_enabled", "Cache", 1u << 0, RO),
	FLAG("io_enabled", "IO", 1u << 1, RO),
	FLAG("mem_enabled", "Mem", 1u << 2, RO),
	FLAG("sync_header_bypass_enabled", "SyncHdrByp", 1u << 3, RO),
	FLAG("drift_buffer_enabled", "DriftBuf", 1u << 4, RO),
	FLAG("flit_68b_enabled", "68BFlit", 1u << 5, RO),
	FLAG("multiple_logical_device_enabled", "MLD", 1u << 6, RO),
	FLAG("flit_256b_enabled", "256BFlit", 1u << 13, RO),
	FLAG("flit_pbr_enabled", "PBRFlit", 1u << 14, RO),
};

static const struct vfcap_field cxl_flex_bus_modified_ts[] = {
	HEX("received", "Data", 0xffffff, RO),
};

static const struct vfcap_field cxl_flex_bus_capability2[] = {
	FLAG("nop_hint", "NOPHint", 1u << 0, CONST),
};

static const struct vfcap_field cxl_flex_bus_control2[] = {
	FLAG("nop_hint_enable", "NOPHint", 1u << 0, RW),
};

static const struct vfcap_field cxl_flex_bus_status2[] = {
	DEC("nop_hint_info", "NOPHintInfo", 0x3, RO),
};

static const struct vfcap_reg cxl_flex_bus[] = {
	REG("cxl_flex_bus_capability", "FBCap", 0x0a, 2, cxl_flex_bus_capability),
	REG("cxl_flex_bus_control", "FBCtl", 0x0c, 2, cxl_flex_bus_control),
	REG("cxl_flex_bus_status", "FBSta", 0x0e, 2, cxl_flex_bus_status),
	REG("cxl_flex_bus_modified_ts", "FBModTS", 0x10, 4, cxl_flex_bus_modified_ts),
	REG("cxl_flex_bus_capability_2", "FBCap2", 0x14, 4, cxl_flex_bus_capability2),
	REG("cxl_flex_bus_control_2", "FBCtl2", 0x18, 4, cxl_flex_bus_control2),
	REG("cxl_flex_bus_status_2", "FBSta2", 0x1c, 4, cxl_flex_bus_status2),
};

static const struct vfcap_field cxl_locator_low[] = {
	DEC("bar", "BIR", 0x7, CONST),
	ENUM("registers", "ID", 0xff << 8, CONST, cxl_registers),
	HEX("offset_low", "Offset", 0xffffu << 16, CONST),
};

static const struct vfcap_reg cxl_locator[] = {
	REG("low", "Low", 0x00, 4, cxl_locator_low),
	RAW("offset_high", "OffsetHi", 0x04, 4),
};

static const struct vfcap_field cxl_mld_count[] = { DEC("count", "LDs", 0xffff, CONST) };

static const struct vfcap_reg cxl_mld[] = {
	REG("cxl_logical_devices", "NumLDs", 0x0a, 2, cxl_mld_count),
};

#define CXL_REGS(table, id) { REGS(table), .max = 1, .count = count_cxl, .arg = id }

static const struct vfcap_regblock dvsec_blocks[] = {
	{ REGS(dvsec) },
	CXL_REGS(cxl_device, CXL_DEVICE),
	CXL_REGS(cxl_function_map, CXL_FUNCTION_MAP),
	CXL_REGS(cxl_port, CXL_PORT),
	CXL_REGS(cxl_gpf_port, CXL_GPF_PORT),
	CXL_REGS(cxl_gpf_device, CXL_GPF_DEVICE),
	CXL_REGS(cxl_flex_bus, CXL_FLEX_BUS),
	CXL_REGS(cxl_mld, CXL_MLD),
	{ .key = "cxl_register_block", REGS(cxl_locator), .start = 0x0c, .size = 8, .max = 512,
	  .count = count_cxl, .arg = CXL_LOCATOR },
};

/* ------------------------------------------------------------------------------- all of them -- */

const struct vfcap_regcap vfcap_regs_vendor[VFCAP_ID_MAX + 1] = {
	[VFCAP_ID_VSEC] = BLOCKS(vsec_blocks),
	[VFCAP_ID_DVSEC] = BLOCKS(dvsec_blocks),
};
