namespace Taba;

/// <summary>
/// The user asked for something that cannot be: one sentence that says what, where, the value, and what would do. Nothing was
/// started and nothing written; the command exits with status 2.
/// </summary>
public class BadInputException(string message, Exception? inner = null) : Exception(message, inner);
