"""Language models behind endpoints that speak OpenAI's or Anthropic's wire format."""

from .anthropic_client import AnthropicClient
from .client import LLMClient, Usage
from .openai_client import OpenAIClient
from .providers import create_llm_client
from .response import LLMResponse, ToolCall

__all__ = ["AnthropicClient", "LLMClient", "LLMResponse", "OpenAIClient", "ToolCall", "Usage", "create_llm_client"]
