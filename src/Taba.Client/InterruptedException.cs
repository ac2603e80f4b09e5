namespace Taba.Client;

/// <summary>The user asked for an end, and more is to be said than that the same command goes on.</summary>
/// <param name="message">The last sentence.</param>
sealed class InterruptedException(string message, Exception? inner = null) : OperationCanceledException(message, inner);
