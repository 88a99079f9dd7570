// Line icons on a grid of 20, and the mark: two banks and the stream between them (Latin rivalis: of the same stream).

const kPaths = {
  sidebar: "M3 4.5h14v11H3zM7.5 4.5v11",
  compose: "M11 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16h9a1.5 1.5 0 0 0 1.5-1.5V9M15.2 3.3a1.2 1.2 0 0 1 1.7 1.7L10.5 11.4l-2.3.6.6-2.3z",
  search: "M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM13.5 13.5 17 17",
  send: "M10 16V4.5M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  attach: "m15.5 9-5.7 5.7a3 3 0 0 1-4.3-4.3l6-6a2 2 0 0 1 2.9 2.9l-5.8 5.8a1 1 0 0 1-1.5-1.4l5-5",
  sliders: "M4 6h6m4 0h2M4 14h2m4 0h6M12 4v4M8 12v4",
  columns: "M3.5 4.5h5.5v11H3.5zM11 4.5h5.5v11H11z",
  copy: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  check: "m4.5 10.5 3.5 3.5 7.5-8",
  retry: "M15.5 8A6 6 0 1 0 16 11.5M15.8 4v4h-4",
  edit: "M13.5 4.2a1.5 1.5 0 0 1 2.2 2.2L7 15l-3 .9.9-3z",
  more: "M4.4 10a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M9.6 10a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0M14.8 10a.4.4 0 1 0 .8 0 .4.4 0 1 0-.8 0",
  forward: "M4 10h11M11 5.5l4.5 4.5-4.5 4.5",
  left: "m12 5-5 5 5 5",
  right: "m8 5 5 5-5 5",
  down: "m5 8 5 5 5-5",
  pin: "M7 3.5h6l-.7 5.2 2.2 2.8h-9l2.2-2.8zM10 11.5V17",
  folder: "M3 15V5h5l1.5 2H17v8z",
  trash: "M4.5 6h11M8 6V4h4v2m-6 0 .6 10h6.8L14 6",
  close: "m5 5 10 10M15 5 5 15",
  gear: "M10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM10 3v2m0 10v2M3 10h2m10 0h2M5 5l1.4 1.4m7.2 7.2L15 15m0-10-1.4 1.4m-7.2 7.2L5 15",
  ghost: "M5 16V9a5 5 0 0 1 10 0v7l-1.7-1.4L11.7 16 10 14.6 8.3 16l-1.6-1.4zM8 9h.01M12 9h.01",
  download: "M10 4v8.5M6 9l4 4 4-4M4 16h12",
  share: "M10 12V4M6.5 7 10 3.5 13.5 7M5 10.5V16h10v-5.5",
  tokens: "M3.5 6h5v3h-5zM10 6h6.5M3.5 13h3m2.5-1.5h7.5v3H9z",
  file: "M6 3.5h5.5L15 7v9.5H6zM11 3.5V7.5h4",
  bulb: "M8 15h4m-3.5 2h3M7.5 12.5a4.5 4.5 0 1 1 5 0V13h-5z",
  tool: "M12.5 3.700a4 4 0 0 0-4.800 5.200L3.800 12.800a1.700 1.700 0 0 0 2.400 2.400L10.100 11.300A4 4 0 0 0 15.300 6.5L13 8.800 11 8.5 10.700 6.5z",
  key: "M12.5 11a3.5 3.5 0 1 0-3.300-2.300L4 14v2.5h2.5V15H8v-1.5h1.5L10.700 11.300c.5.1 1.100.1 1.800-.3zM13 7h.01",
} as const;

export type IconName = keyof typeof kPaths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={kPaths[name]} />
    </svg>
  );
}

export function Mark({ large = false }: { large?: boolean }) {
  return (
    <svg class={large ? "mark large" : "mark"} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="bank-near" d="M9 2h8.5c-5 5-5 9 -1.5 14s3.5 9-1.5 14H9a7 7 0 0 1-7-7V9a7 7 0 0 1 7-7z" />
      <path class="bank-far" d="M22 2h1a7 7 0 0 1 7 7v14a7 7 0 0 1-7 7h-3.5c5-5 5-9 1.5-14s-4-9 1-14z" />
    </svg>
  );
}
