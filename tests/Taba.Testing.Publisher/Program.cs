using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing.Stores;

// Usage: Taba.Testing.Publisher STORE ROW: publishes rows [ROW, ROW+1) of the example's stage in a folder. Says what it is about to do, and
// waits for a line before each creation of a version.
var row = int.Parse(args[1]);
var objects = new ObservedObjects(new FolderObjects(args[0]))
{
    Before = async (call, name) =>
    {
        if (call != "create")
            return;
        Console.WriteLine($"about to create {name}");
        await Console.In.ReadLineAsync();
    },
};
var won = await StoreExamples.PublishAsync(new TensorStore(objects), StoreExamples.Attempt(row), new(row, row + 1));
Console.WriteLine(won ? "won" : "lost");
