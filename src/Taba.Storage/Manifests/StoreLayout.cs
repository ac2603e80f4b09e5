using System.Text.Json;
using Taba.Storage.Objects;

namespace Taba.Storage.Manifests;

/// <summary>
/// Looks at a place before a store is used there: what it holds, and whether it keeps the promises that a store rests on.
/// </summary>
public static class StoreLayout
{
    /// <summary>The layout of this version: cells with versions, checkpoints a file a part.</summary>
    const int Current = 2;

    const int MostBytes = 1 << 16;
    const string Probes = "probe/";

    /// <summary>Refuses a store of another layout, writes down the layout of a new one, and tests the place.</summary>
    /// <exception cref="BadInputException">The store has another layout.</exception>
    /// <exception cref="StoreException">The place failed, or lacks what a store relies on.</exception>
    public static async Task PrepareAsync(IObjectStore objects, CancellationToken cancellationToken)
    {
        await RequireAsync(objects, cancellationToken);
        await TestAsync(objects, cancellationToken);
        await objects.TryCreateAsync(StoreNames.Layout, StoreJson.Write(new LayoutDocument(Current)), cancellationToken);
    }

    /// <summary>Refuses a store of another layout. Writes nothing.</summary>
    /// <exception cref="BadInputException">The store has another layout.</exception>
    public static async Task RequireAsync(IObjectStore objects, CancellationToken cancellationToken)
    {
        var bytes = await objects.ReadAsync(StoreNames.Layout, MostBytes, cancellationToken);
        if (bytes is null)
        {
            if (await objects.FoldersAsync(StoreNames.OldStages, cancellationToken).AnyAsync(cancellationToken))
                throw new BadInputException(
                    $"The store {objects.Place} has the layout of an older Taba, which this one does not read: move it away or name "
                    + "another "
                    + "place, and what it held is computed anew; its run folders can be used as they are.");
            return;
        }
        int layout;
        try
        {
            layout = StoreJson.Read<LayoutDocument>(bytes).Layout;
        }
        catch (JsonException)
        {
            throw new BadInputException(
                $"{objects.Where(StoreNames.Layout)} cannot be read, and says which layout the store has: "
                + $"write {{\"layout\": {Current}}} there if this version made the store.");
        }
        if (layout != Current)
            throw new BadInputException(
                $"The store {objects.Place} has layout {layout}, and this version of Taba knows {Current}: use the version that made "
                + "it, or "
                + "name another place.");
    }

    /// <summary>Exclusive creation, whole replacement, lists and deletion, each tried once.</summary>
    static async Task TestAsync(IObjectStore objects, CancellationToken cancellationToken)
    {
        var folder = $"{Probes}{Guid.NewGuid():N}/";
        var name = $"{folder}first";
        try
        {
            Require(await objects.TryCreateAsync(name, "1"u8.ToArray(), cancellationToken), "a new name cannot be created");
            Require(
                !await objects.TryCreateAsync(name, "2"u8.ToArray(), cancellationToken),
                "creating a name that is taken does not fail, so that two writers could both win");
            Require(await ReadAsync() == '1', "what was written is not what is read");
            await objects.ReplaceAsync(name, "3"u8.ToArray(), cancellationToken);
            Require(await ReadAsync() == '3', "a replaced object is read as it was");
            Require(
                await objects.ListAsync(folder, cancellationToken).Select(o => o.Name).FirstOrDefaultAsync(cancellationToken) == name,
                "a list does not show what was just created");
            await objects.DeleteAsync(name, cancellationToken);
            Require(await ReadAsync() is null, "what was deleted is still there");
        }
        finally
        {
            await objects.DeleteAllAsync(folder, CancellationToken.None);
        }

        async Task<char?> ReadAsync() => await objects.ReadAsync(name, MostBytes, cancellationToken) switch
        {
            null => null,
            [var one] => (char)one,
            _ => '?',
        };

        void Require(bool holds, string otherwise)
        {
            if (!holds)
                throw new StoreException($"{objects.Place} cannot hold a store: {otherwise}; name a folder on another file system");
        }
    }
}
