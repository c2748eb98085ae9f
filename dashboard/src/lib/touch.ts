// Fingers on a plot: one moves it through time, two draw it together or apart. Scrolling the page stays possible.

export interface Gestures {
  pan: (pixels: number) => void;
  zoom: (factor: number, at: number) => void; // `at`: pixels from the left edge
}

export function touch(over: HTMLElement, gestures: Gestures): () => void {
  const fingers = new Map<number, number>();
  const left = (event: PointerEvent | WheelEvent): number => event.clientX - over.getBoundingClientRect().left;

  function down(event: PointerEvent): void {
    if (event.pointerType === "touch") fingers.set(event.pointerId, left(event));
  }
  function move(event: PointerEvent): void {
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const now = left(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) gestures.pan(before - now);
    else if (Math.abs(now - other) > 12) gestures.zoom(Math.abs(before - other) / Math.abs(now - other), (now + other) / 2);
    fingers.set(event.pointerId, now);
  }
  function up(event: PointerEvent): void {
    fingers.delete(event.pointerId);
  }
  function wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) gestures.zoom(Math.exp(event.deltaY * 0.0025), left(event));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) gestures.pan(event.deltaX);
    else return;
    event.preventDefault();
  }

  over.style.touchAction = "pan-y";
  const bound: [string, EventListener][] = [
    ["pointerdown", down as EventListener],
    ["pointermove", move as EventListener],
    ["pointerup", up as EventListener],
    ["pointercancel", up as EventListener],
    ["wheel", wheel as EventListener],
  ];
  for (const [name, listener] of bound) over.addEventListener(name, listener, { passive: false });
  return () => bound.forEach(([name, listener]) => over.removeEventListener(name, listener));
}
