namespace Taba.Grains.Ports;

/// <summary>
/// Rows of another stage that a part needs cannot be read, though they were published. The store has made them void: that stage is to look
/// again and compute them anew.
/// </summary>
public sealed class InputLostException(string stageKey, RowRange rows, string message, Exception? inner = null) : Exception(message, inner)
{
    public string StageKey => stageKey;

    public RowRange Rows => rows;
}
