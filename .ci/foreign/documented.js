const response = await fetch("https://api.example.com/v1/api/projects/user-token", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    "Authorization": "Bearer up_embed_...", // Your embed API key
  },
  body: JSON.stringify({
    userId: "user-uuid-here",
    organizationId: "org-uuid-here",
  }),
});

const { data } = await response.json();
const projectUserToken = data.token;
