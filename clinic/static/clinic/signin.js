// A passkey that was refused, cancelled or not found: say so on the page instead of in the console.
document.addEventListener("allauth.error", (event) => {
  const problem = document.getElementById("passkey_problem");
  const card = document.querySelector(".card");
  event.preventDefault();
  card.prepend(problem);
  problem.classList.remove("floating");
  problem.hidden = false;
  problem.scrollIntoView({ block: "nearest" });
});
