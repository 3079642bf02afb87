// Where the plot lies within a time chart, in pixels: for uPlot, and for what is laid over it.

/** To the left, for the labels of the values. */
export const AXIS_LEFT = 62;
/** To the right, half a label: that of the last moment would be cut. */
export const SPACE_RIGHT = 20;
export const SPACE_TOP = 8;
/** Below, for the labels of the time. */
export const AXIS_BELOW = 26;
