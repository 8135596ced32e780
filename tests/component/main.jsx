// The page of a customer: the published component, set up by the attributes of its element.
// What it sends behind Bearer is the cookie named by authSessionCookieName.
import React from "react";
import { createRoot } from "react-dom/client";
import { SmarterChat } from "@smarter.sh/ui-chat";
import "@smarter.sh/ui-chat/dist/ui-chat.css";

const element = document.getElementById("chat");

createRoot(element).render(
  <SmarterChat
    apiUrl={element.dataset.apiUrl}
    apiKey=""
    toggleMetadata={false}
    csrfCookieName="csrftoken"
    csrftoken=""
    debugCookieName="debug"
    debugCookieExpiration={60_000}
    debugMode={false}
    sessionCookieName="session_key"
    sessionCookieExpiration={86_400_000}
    authSessionCookieName={element.dataset.keyCookie}
    cookieDomain={location.hostname}
    showConsole={false}
  />,
);
