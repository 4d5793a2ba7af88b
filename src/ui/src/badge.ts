// The number on the page's icon, where the page is installed as an app.

export function showBadge(count: number): void {
  const { setAppBadge } = navigator as Partial<Navigator>
  setAppBadge?.call(navigator, count).catch(() => {})
}
