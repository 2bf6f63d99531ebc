// Going to a page as if its link had been clicked: the router takes clicks, so that back, forward and deep links stay as they are.
export function openPage(path: string): void {
  const link = document.createElement("a");
  link.href = path;
  document.body.append(link);
  link.click();
  link.remove();
}
