// Calendar arithmetic in a named time zone, on Intl alone. It reads no clock.

export interface Wall {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, found);
  }
  return found;
}

/** What a clock on the wall in `zone` shows at `instant`. */
export function wallClock(instant: Date, zone: string): Wall {
  const part = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((each) => each.type === type)?.value ?? "0");
  const parts = format(zone).formatToParts(instant);
  return {
    year: part("year"),
    month: part("month"),
    day: part("day"),
    hour: part("hour"),
    minute: part("minute"),
    second: part("second"),
  };
}

/** The instant at which a wall clock in `zone` shows `wall`; days and months may overflow. */
export function instantOf(wall: Wall, zone: string): Date {
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  let guess = asUtc - offsetMs(asUtc, zone);
  guess = asUtc - offsetMs(guess, zone); // once more, for the day on which the offset changes
  return new Date(guess);
}

export function startOfDay(instant: Date, zone: string, plusDays = 0): Date {
  const wall = wallClock(instant, zone);
  return instantOf({ ...wall, day: wall.day + plusDays, hour: 0, minute: 0, second: 0 }, zone);
}

/** 0 is Sunday. */
export function weekday(instant: Date, zone: string): number {
  const wall = wallClock(instant, zone);
  return new Date(Date.UTC(wall.year, wall.month - 1, wall.day)).getUTCDay();
}

function offsetMs(instant: number, zone: string): number {
  const wall = wallClock(new Date(instant), zone);
  const shown = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  return shown - Math.floor(instant / 1000) * 1000;
}

export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
