// The first address of the API reference, which the package would push: then "back" would lead to the reference again.

if (location.hash === "") history.replaceState(history.state, "", "#?route=overview");
