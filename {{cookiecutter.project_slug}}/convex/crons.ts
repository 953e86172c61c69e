import { cronJobs } from "convex/server";
import { expireLogs } from "./logs";

const crons = cronJobs();

crons.daily("delete logs past retention", { hourUTC: 3, minuteUTC: 30 }, expireLogs, {});

export default crons;
