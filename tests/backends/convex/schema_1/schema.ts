import { defineSchema, defineTable } from "convex/server";
import { entry } from "./entry";

/** Each index costs as much storage as a copy of the table, so there are only those that the functions use. */
export default defineSchema({
  logs: defineTable(entry)
    .index("by_entry", ["entryId"])
    .index("by_time", ["timestamp"])
    .index("by_correlation", ["correlationId", "timestamp"])
    .index("by_tool", ["toolName", "timestamp"])
    .index("by_level", ["level", "timestamp"]),
});
