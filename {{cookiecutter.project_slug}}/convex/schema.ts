import { defineSchema, defineTable } from "convex/server";
import { entry } from "./entry";

/** Each index costs storage as another copy of the table: these are the ones that `/logs/query` uses. */
export default defineSchema({
  logs: defineTable(entry)
    .index("by_entry", ["entryId"])
    .index("by_time", ["timestamp"])
    .index("by_correlation", ["correlationId", "timestamp"])
    .index("by_tool", ["toolName", "timestamp"])
    .index("by_level", ["level", "timestamp"]),
});
